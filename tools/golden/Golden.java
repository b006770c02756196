import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.RawTaggedField;

/**
 * Reads {name, version, readAs, value, tags} from each line and answers the message's bytes in base64,
 * or the name of the exception Kafka's own code throws for it, after an exclamation mark.
 * The JSON is read as the first version of readAs that can express it, then written as version.
 */
class Golden {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  public static void main(String[] arguments) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    for (String line = in.readLine(); line != null; line = in.readLine()) out.println(answer(MAPPER.readTree(line)));
    out.flush();
  }

  private static String answer(JsonNode question) throws Exception {
    short version = (short) question.get("version").asInt();
    try {
      Message message = parse(question);
      for (JsonNode tag : question.get("tags")) {
        message.unknownTaggedFields().add(new RawTaggedField(tag.get(0).asInt(), tag.get(1).binaryValue()));
      }
      return Base64.getEncoder().encodeToString(bytes(message, version));
    } catch (RuntimeException exception) {
      return "!" + exception.getClass().getSimpleName() + " " + exception.getMessage();
    }
  }

  private static Message parse(JsonNode question) throws Exception {
    Class<?> converter = Class.forName("org.apache.kafka.common.message." + question.get("name").asText() + "JsonConverter");
    Method read = converter.getMethod("read", JsonNode.class, short.class);
    Throwable refusal = null;
    for (JsonNode version : question.get("readAs")) {
      try {
        return (Message) read.invoke(null, question.get("value"), (short) version.asInt());
      } catch (InvocationTargetException exception) {
        if (refusal == null) refusal = exception.getCause();
      }
    }
    throw new IllegalArgumentException("no version can express it: " + refusal);
  }

  private static byte[] bytes(Message message, short version) {
    ObjectSerializationCache cache = new ObjectSerializationCache();
    ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
    message.write(new ByteBufferAccessor(buffer), cache, version);
    if (buffer.hasRemaining()) throw new IllegalStateException(buffer.remaining() + " bytes not written");
    return buffer.array();
  }
}
