import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;

/** Reads, changes and writes in transactions, offsets included; what it does not understand goes to a topic of its own. */
final class Pipeline {
    private final Job step;
    private final Answer answer;

    Pipeline(Job step, Answer answer) {
        this.step = step;
        this.answer = answer;
    }

    void run() {
        var consumer = Steps.consumer(step, Map.of("enable.auto.commit", "false"));
        var producer = Steps.producer(step, Map.of("transactional.id", step.text("transactionalId")));
        String calling = "initTransactions";
        try {
            producer.initTransactions();
            calling = "pipeline";
            consumer.subscribe(step.list("topics"));
            long end = System.currentTimeMillis() + step.number("forMs");
            while (answer.reads() < step.records() && System.currentTimeMillis() < end) {
                var records = consumer.poll(Steps.POLL);
                if (!records.isEmpty()) pass(records, consumer, producer);
            }
        } catch (KafkaException e) {
            answer.failed(e, calling);
        } finally {
            consumer.close(CloseOptions.timeout(Steps.CLOSE));
            producer.close(Steps.CLOSE);
        }
    }

    private void pass(ConsumerRecords<byte[], byte[]> records, KafkaConsumer<?, ?> consumer, KafkaProducer<byte[], byte[]> producer) {
        producer.beginTransaction();
        for (ConsumerRecord<byte[], byte[]> record : records) {
            String value = new String(record.value(), StandardCharsets.UTF_8);
            String to = value.startsWith("bad") ? step.text("deadLetters") : step.text("to");
            producer.send(new ProducerRecord<>(to, Job.utf8(value.toUpperCase())));
        }
        producer.sendOffsetsToTransaction(records.nextOffsets(), consumer.groupMetadata());
        producer.commitTransaction();
        records.forEach(record -> answer.read(record.topic()));
    }
}
