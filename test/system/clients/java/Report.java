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
    private final PrintStream out = new PrintStream(new BufferedOutputStream(System.out, 1 << 16));

    synchronized void sent(int i, int partition, long offset) {
        out.println("{\"sent\":" + i + ",\"partition\":" + partition + ",\"offset\":" + offset + "}");
        if (i % 50 == 0) out.flush();
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
        out.flush();
    }

    private synchronized void line(Map<String, Object> object) {
        try {
            out.println(JSON.writeValueAsString(object));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
