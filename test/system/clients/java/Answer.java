import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;

/** What became of one step. */
final class Answer {
    private final long started = System.currentTimeMillis();
    private final Map<String, Integer> stored = new TreeMap<>();
    private final Map<String, Integer> read = new TreeMap<>();
    private final Set<String> errors = new TreeSet<>();

    synchronized void stored(String topic) {
        stored.merge(topic, 1, Integer::sum);
    }

    synchronized void read(String topic) {
        read.merge(topic, 1, Integer::sum);
    }

    synchronized int reads() {
        return read.values().stream().mapToInt(Integer::intValue).sum();
    }

    synchronized int errors() {
        return errors.size();
    }

    /** The exception by its class, and what it names; otherwise what was called. */
    synchronized void failed(Throwable thrown, String called) {
        Throwable error = thrown;
        while (!(error instanceof ApiException) && error.getCause() != null) error = error.getCause();
        String name = error.getClass().getSimpleName();
        if (error instanceof TopicAuthorizationException topics && !topics.unauthorizedTopics().isEmpty()) {
            topics.unauthorizedTopics().forEach(topic -> errors.add(name + " " + topic));
        } else if (error instanceof GroupAuthorizationException group && group.groupId() != null) {
            errors.add(name + " " + group.groupId());
        } else {
            errors.add(name + " " + called);
            // Not one of Kafka's: the reader of a failed test wants to know where it came from.
            if (!(error instanceof ApiException)) error.printStackTrace();
        }
    }

    synchronized Map<String, Object> toMap() {
        long tookMs = System.currentTimeMillis() - started;
        return Map.of("stored", stored, "read", read, "errors", errors, "tookMs", tookMs);
    }
}
