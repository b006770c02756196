import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.producer.ProducerRecord;

/** What to do, as described in ../README.md. */
final class Job {
    static final int KEYS = 97;
    private final JsonNode json;

    private Job(JsonNode json) {
        this.json = json;
    }

    static Job read(InputStream input) throws IOException {
        return new Job(new ObjectMapper().readTree(input));
    }

    String text(String field) {
        return json.path(field).asText();
    }

    int number(String field) {
        return json.path(field).asInt();
    }

    int records() {
        return number("records");
    }

    String topic() {
        return text("topic");
    }

    List<String> list(String field) {
        List<String> values = new ArrayList<>();
        json.path(field).forEach(value -> values.add(value.asText()));
        return values;
    }

    Properties connection() {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", String.join(",", list("bootstrap")));
        properties.put("client.id", "java");
        if (json.hasNonNull("ca")) {
            properties.putAll(Map.of(
                    "security.protocol", "SSL",
                    "ssl.truststore.type", "PEM",
                    "ssl.truststore.location", text("ca")));
        }
        if (json.hasNonNull("sasl")) {
            JsonNode sasl = json.path("sasl");
            String mechanism = sasl.path("mechanism").asText();
            String module = mechanism.equals("PLAIN") ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
            properties.put("security.protocol", json.hasNonNull("ca") ? "SASL_SSL" : "SASL_PLAINTEXT");
            properties.put("sasl.mechanism", mechanism);
            properties.put("sasl.jaas.config", String.format(
                    "org.apache.kafka.common.security.%s required username=\"%s\" password=\"%s\";",
                    module, sasl.path("username").asText(), sasl.path("password").asText()));
        }
        return properties;
    }

    ProducerRecord<byte[], byte[]> record(int i) {
        String key = "k-" + i % KEYS;
        String value = String.join("|", topic(), key, "" + i / KEYS, "" + i, "x".repeat(i % 200));
        long timestamp = json.path("firstTimestamp").asLong() + 3L * i;
        var record = new ProducerRecord<>(topic(), null, timestamp, utf8(key), utf8(value));
        record.headers().add("n", utf8("" + i));
        record.headers().add("trace", new byte[] {0, (byte) 0xff, (byte) i});
        return record;
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
