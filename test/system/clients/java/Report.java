import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedOutputStream;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** One JSON object per line. */
final class Report {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final PrintStream OUT = new PrintStream(new BufferedOutputStream(System.out, 1 << 16));
    private final String start;

    Report() {
        start = "{";
    }

    /** Of one job among many. */
    Report(int job) {
        start = "{\"job\":" + job + ",";
    }

    void sent(int i, int partition, long offset) {
        OUT.println(start + "\"sent\":" + i + ",\"partition\":" + partition + ",\"offset\":" + offset + "}");
        if (i % 50 == 0) OUT.flush();
    }

    void read(ConsumerRecord<byte[], byte[]> record) {
        List<Object[]> headers = new ArrayList<>();
        record.headers().forEach(header -> headers.add(new Object[] {header.key(), header.value()}));
        line(Map.of("read", Map.of(
                "partition", record.partition(),
                "offset", record.offset(),
                "timestamp", record.timestamp(),
                "key", record.key(),
                "value", record.value(),
                "headers", headers)));
    }

    void fact(String name, Object value) {
        line(Map.of("fact", name, "value", value));
    }

    void flush() {
        OUT.flush();
    }

    synchronized void line(Map<String, Object> object) {
        try {
            OUT.println(start + JSON.writeValueAsString(object).substring(1));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
