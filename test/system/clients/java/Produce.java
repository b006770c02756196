import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

final class Produce {
    private static final int TRANSACTION = 500;
    private final Job job;
    private final Report report;

    Produce(Job job, Report report) {
        this.job = job;
        this.report = report;
    }

    void run() throws Exception {
        try (var producer = new KafkaProducer<>(properties(), new ByteArraySerializer(), new ByteArraySerializer())) {
            if (job.text("producer").equals("transactional")) transactions(producer);
            else records(producer, 0, job.records());
        }
        report.flush();
    }

    private Properties properties() {
        String kind = job.text("producer");
        Properties properties = job.connection();
        properties.put("acks", "all");
        properties.put("enable.idempotence", String.valueOf(!kind.equals("plain")));
        // Without idempotence the library keeps the order of a partition only with one request in flight.
        if (kind.equals("plain")) properties.put("max.in.flight.requests.per.connection", "1");
        if (kind.equals("transactional")) properties.put("transactional.id", "tx-" + job.topic());
        properties.put("linger.ms", "5");
        properties.put("request.timeout.ms", "5000");
        properties.put("delivery.timeout.ms", "60000");
        return properties;
    }

    private void records(KafkaProducer<byte[], byte[]> producer, int first, int end) throws Exception {
        Future<RecordMetadata> last = null;
        for (int i = first; i < end; i++) {
            pace(i - first);
            int number = i;
            last = producer.send(job.record(i), (metadata, failure) -> {
                if (failure == null) report.sent(number, metadata.partition(), metadata.offset());
                else report.fact("failed", number + ": " + failure);
            });
        }
        producer.flush();
        if (last != null) last.get();
    }

    /** Between the transactions that are committed, others with records nobody may read are aborted. */
    private void transactions(KafkaProducer<byte[], byte[]> producer) throws Exception {
        producer.initTransactions();
        int aborted = 0;
        for (int first = 0; first < job.records(); first += TRANSACTION) {
            if (first / TRANSACTION % 4 == 1) aborted += abort(producer);
            producer.beginTransaction();
            records(producer, first, Math.min(first + TRANSACTION, job.records()));
            producer.commitTransaction();
        }
        report.fact("aborted", aborted);
    }

    private int abort(KafkaProducer<byte[], byte[]> producer) throws ExecutionException, InterruptedException {
        producer.beginTransaction();
        int count = 20;
        for (int i = 0; i < count; i++) {
            producer.send(new ProducerRecord<>(job.topic(), Job.utf8("k-" + i), Job.utf8("aborted"))).get();
        }
        producer.abortTransaction();
        return count;
    }

    private void pace(int done) throws InterruptedException {
        int perSecond = job.number("perSecond");
        if (perSecond > 0 && done % 50 == 49) Thread.sleep(50_000L / perSecond);
    }
}
