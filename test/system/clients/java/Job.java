import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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

    /** A step: what it says itself, and how to connect. */
    static Job step(ObjectNode connection, String line) throws IOException {
        return new Job(connection.deepCopy().setAll((ObjectNode) new ObjectMapper().readTree(line)));
    }

    String text(String field) {
        return json.path(field).asText();
    }

    boolean is(String field) {
        return json.path(field).asBoolean();
    }

    List<Job> jobs() {
        List<Job> jobs = new ArrayList<>();
        json.path("jobs").forEach(job -> jobs.add(new Job(job)));
        return jobs;
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
        boolean tls = json.hasNonNull("ca");
        boolean login = json.hasNonNull("sasl");
        properties.put("security.protocol", (login ? "SASL_" : "") + (tls ? "SSL" : "PLAINTEXT"));
        if (tls) {
            properties.put("ssl.truststore.type", "PEM");
            properties.put("ssl.truststore.location", text("ca"));
        }
        if (json.hasNonNull("certificate")) {
            properties.put("ssl.keystore.type", "PEM");
            properties.put("ssl.keystore.certificate.chain", content("certificate"));
            properties.put("ssl.keystore.key", content("key"));
        }
        if (login) properties.putAll(login(json.path("sasl")));
        return properties;
    }

    private static Map<String, String> login(JsonNode sasl) {
        String mechanism = sasl.path("mechanism").asText();
        String security = "org.apache.kafka.common.security.";
        if (mechanism.equals("OAUTHBEARER")) {
            return Map.of(
                    "sasl.mechanism", mechanism,
                    "sasl.jaas.config", security + "oauthbearer.OAuthBearerLoginModule required;",
                    "sasl.login.callback.handler.class", security + "oauthbearer.OAuthBearerLoginCallbackHandler",
                    "sasl.oauthbearer.token.endpoint.url", Path.of(sasl.path("tokenFile").asText()).toUri().toString());
        }
        String module = mechanism.equals("PLAIN") ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
        return Map.of("sasl.mechanism", mechanism, "sasl.jaas.config", String.format(
                "%s%s required username=\"%s\" password=\"%s\";",
                security, module, sasl.path("username").asText(), sasl.path("password").asText()));
    }

    private String content(String field) {
        try {
            return Files.readString(Path.of(text(field)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
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
