import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { issueClient } from '../../src/tls/certificate-authority.ts'
import { writeKeyStore, writeTrustStore } from '../../src/tls/pkcs12/write-pkcs12.ts'
import { loadServerTls } from '../../src/tls/server-context.ts'
import { file, issuing, now, password, root, server } from './authorities.ts'
import { closeAll, sClient, serve } from './connections.ts'
import { loading, mutual, source } from './listener.ts'
import { Workbench, without } from './programs.ts'

const bench = new Workbench()
after(() => bench.remove())
after(closeAll)

const JAVA_CLIENT = `
import java.io.*;
import java.security.KeyStore;
import javax.net.ssl.*;
public class Client {
  static KeyStore store(String path) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (var in = new FileInputStream(path)) { store.load(in, "secret1".toCharArray()); }
    return store;
  }
  public static void main(String[] args) throws Exception {
    var keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(store("key.p12"), "secret1".toCharArray());
    var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(store("trust.p12"));
    var context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    for (String protocol : new String[] {"TLSv1.2", "TLSv1.3"}) {
      try (var socket = (SSLSocket) context.getSocketFactory().createSocket("localhost", Integer.parseInt(args[0]))) {
        var parameters = socket.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        parameters.setProtocols(new String[] {protocol});
        socket.setSSLParameters(parameters);
        var line = new BufferedReader(new InputStreamReader(socket.getInputStream(), "UTF-8")).readLine();
        System.out.println(socket.getSession().getProtocol() + " " + socket.getSession().getCipherSuite() + " " + line);
        System.out.println(((javax.security.auth.x500.X500Principal) socket.getSession().getLocalPrincipal()).getName().equals(line));
      }
    }
  }
}`

describe('a Java client', { skip: without('java') }, () => {
  test('with the stores we write is let in by its certificate, and named as it names itself', async () => {
    const bob = issueClient(issuing, { subject: 'CN=Bob \\+ Söhne\\, Köln,OU=#1,O=\\ Acme\\ ,C=DE', now })
    const running = await mutual('require')
    bench.write('key.p12', writeKeyStore({ alias: 'bob', ...bob }, 'secret1'))
    bench.write('trust.p12', writeTrustStore([{ alias: 'ca', certificate: root.certificate }], 'secret1'))
    bench.write('Client.java', JAVA_CLIENT)
    const printed = await bench.run('java', [
      '-Xmx256m',
      '-Dfile.encoding=UTF-8',
      '-Dstdout.encoding=UTF-8',
      'Client.java',
      String(running.port),
    ])
    const subject = 'CN=Bob \\+ Söhne\\, Köln,OU=\\#1,O=\\ Acme\\ ,C=DE'
    assert.deepEqual(printed.trim().split('\n'), [
      `TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 ${subject}`,
      'true',
      `TLSv1.3 TLS_AES_128_GCM_SHA256 ${subject}`,
      'true',
    ])
    await running.close()
  })
})

describe('key stores of Java serve', { skip: without('keytool', 'openssl') }, () => {
  test('made by keytool, looked at by openssl', async () => {
    const names = '-dname CN=kafka -ext san=dns:localhost,ip:127.0.0.1'
    await bench.line(
      `keytool -genkeypair -alias own -keyalg EC -groupname secp256r1 ${names} -storepass secret1 -keystore own.p12`,
    )
    const identity = { kind: 'pkcs12' as const, store: bench.read('own.p12'), password: password('secret1') }
    const running = await serve(loadServerTls(source({ identity }), { ...loading, now: new Date() }).serverOptions)
    await bench.line('keytool -exportcert -rfc -alias own -storepass secret1 -keystore own.p12 -file own.pem')
    const printed = await sClient(
      running.port,
      `-CAfile ${bench.folder}/own.pem -verify_return_error -verify_hostname localhost`,
    )
    assert.match(printed, /Verification: OK/)
    await running.close()
  })

  test('made by us, with a password-protected chain', async () => {
    const store = writeKeyStore({ alias: 'gateway', ...server }, 'secret1')
    const identity = { kind: 'pkcs12' as const, store: file('ours.p12', store), password: password('secret1') }
    const running = await serve(loadServerTls(source({ identity }), loading).serverOptions)
    bench.write('ca.pem', root.certificate)
    const printed = await sClient(
      running.port,
      `-CAfile ${bench.folder}/ca.pem -verify_return_error -verify_hostname localhost`,
    )
    assert.match(printed, /Verification: OK/)
    await running.close()
  })
})
