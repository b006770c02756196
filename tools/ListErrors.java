import org.apache.kafka.common.protocol.Errors;

/** Prints every error name and code of the client library, one to a line. */
class ListErrors {
  public static void main(String[] arguments) {
    for (Errors error : Errors.values()) System.out.println(error.name() + " " + error.code());
  }
}
