import { UnsupportedVersionError, WireError } from '../errors.ts'

export function cannotWrite(field: string, version: number): UnsupportedVersionError {
  return new UnsupportedVersionError(`${field} holds a value that version ${version} cannot carry`, {
    details: { field, version },
  })
}

export function tagNotValid(field: string, version: number): WireError {
  return new WireError('tagged field in a version that does not have it', { details: { field, version } })
}
