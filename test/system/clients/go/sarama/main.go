// sarama.
package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/IBM/sarama"

	"vkitm.test/clients/job"
)

func main() {
	todo := job.Read()
	report := job.NewReport(todo)
	produce(todo, report)
	consume(todo, report)
	report.Flush()
}

func configuration(todo job.Job) *sarama.Config {
	config := sarama.NewConfig()
	config.ClientID = "sarama"
	config.Version = sarama.MaxVersion
	config.Net.TLS.Config = todo.TLS()
	config.Net.TLS.Enable = config.Net.TLS.Config != nil
	config.Net.MaxOpenRequests = 1
	config.Metadata.Retry.Max = 60
	config.Metadata.Retry.Backoff = 250 * time.Millisecond
	return config
}

func produce(todo job.Job, report *job.Report) {
	sarama.Logger = retryLog{report}
	config := configuration(todo)
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Idempotent = todo.Idempotent
	config.Producer.Retry.Max = 60
	config.Producer.Retry.Backoff = 250 * time.Millisecond
	config.Producer.Flush.Frequency = 5 * time.Millisecond
	config.Producer.Return.Successes = true
	producer, err := sarama.NewAsyncProducer(todo.Bootstrap, config)
	job.Must(err)
	go func() {
		for i := range todo.Records {
			producer.Input() <- message(todo, i)
			todo.Pace(i)
		}
		producer.AsyncClose()
	}()
	go func() {
		for failure := range producer.Errors() {
			job.Must(failure)
		}
	}()
	for stored := range producer.Successes() {
		report.Sent(stored.Metadata.(int), stored.Partition, stored.Offset)
	}
}

func message(todo job.Job, i int) *sarama.ProducerMessage {
	record := todo.Record(i)
	headers := []sarama.RecordHeader{}
	for _, header := range record.Headers {
		headers = append(headers, sarama.RecordHeader{Key: []byte(header.Name), Value: header.Value})
	}
	return &sarama.ProducerMessage{
		Topic:     todo.Topic,
		Key:       sarama.ByteEncoder(record.Key),
		Value:     sarama.ByteEncoder(record.Value),
		Timestamp: record.Timestamp,
		Headers:   headers,
		Metadata:  i,
	}
}

func consume(todo job.Job, report *job.Report) {
	config := configuration(todo)
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	group, err := sarama.NewConsumerGroup(todo.Bootstrap, todo.Group, config)
	job.Must(err)
	ctx, stop := context.WithCancel(context.Background())
	records := make(chan *sarama.ConsumerMessage, 1000)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			job.Must(group.Consume(ctx, []string{todo.Topic}, handler{records}))
		}
	}()
	report.StartReading()
	for report.GoesOn() {
		select {
		case message := <-records:
			read(report, message)
		case <-time.After(100 * time.Millisecond):
		}
	}
	stop()
	<-ended
	job.Must(group.Close())
}

func read(report *job.Report, message *sarama.ConsumerMessage) {
	headers := []job.Header{}
	for _, header := range message.Headers {
		headers = append(headers, job.Header{Name: string(header.Key), Value: header.Value})
	}
	report.Read(message.Partition, message.Offset, job.Record{Key: message.Key, Value: message.Value, Timestamp: message.Timestamp, Headers: headers})
}

type handler struct {
	records chan<- *sarama.ConsumerMessage
}

func (handler) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (handler) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (handler handler) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		handler.records <- message
		session.MarkMessage(message, "")
	}
	return nil
}

// retryLog hands on what the library logs about sending something again.
type retryLog struct{ report *job.Report }

func (log retryLog) Print(values ...any)                 { log.look(fmt.Sprint(values...)) }
func (log retryLog) Println(values ...any)               { log.look(fmt.Sprintln(values...)) }
func (log retryLog) Printf(format string, values ...any) { log.look(fmt.Sprintf(format, values...)) }

func (log retryLog) look(text string) {
	if strings.Contains(text, "retry") {
		log.report.Retry(strings.TrimSpace(text))
	}
}
