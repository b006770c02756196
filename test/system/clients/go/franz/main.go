// franz-go.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"vkitm.test/clients/job"
)

func main() {
	todo := job.Read()
	report := job.NewReport(todo)
	produce(todo, report)
	consume(todo, report)
	report.Flush()
}

func connection(todo job.Job) []kgo.Opt {
	options := []kgo.Opt{kgo.SeedBrokers(todo.Bootstrap...), kgo.ClientID("franz-go")}
	if config := todo.TLS(); config != nil {
		options = append(options, kgo.DialTLSConfig(config))
	}
	if todo.Sasl != nil {
		options = append(options, kgo.SASL(login(*todo.Sasl)))
	}
	return options
}

func login(with job.Sasl) sasl.Mechanism {
	switch with.Mechanism {
	case "SCRAM-SHA-256":
		return scram.Auth{User: with.Username, Pass: with.Password}.AsSha256Mechanism()
	case "SCRAM-SHA-512":
		return scram.Auth{User: with.Username, Pass: with.Password}.AsSha512Mechanism()
	case "OAUTHBEARER":
		return oauth.Oauth(func(context.Context) (oauth.Auth, error) {
			token, err := os.ReadFile(with.TokenFile)
			return oauth.Auth{Token: string(token)}, err
		})
	}
	return plain.Auth{User: with.Username, Pass: with.Password}.AsMechanism()
}

func produce(todo job.Job, report *job.Report) {
	options := append(connection(todo),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerLinger(5*time.Millisecond),
		kgo.WithLogger(retryLog{report}),
	)
	if !todo.Idempotent {
		options = append(options, kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(1))
	}
	client, err := kgo.NewClient(options...)
	job.Must(err)
	defer client.Close()
	for i := range todo.Records {
		record := todo.Record(i)
		headers := []kgo.RecordHeader{}
		for _, header := range record.Headers {
			headers = append(headers, kgo.RecordHeader{Key: header.Name, Value: header.Value})
		}
		message := &kgo.Record{Topic: todo.Topic, Key: record.Key, Value: record.Value, Timestamp: record.Timestamp, Headers: headers}
		client.Produce(context.Background(), message, func(stored *kgo.Record, err error) {
			job.Must(err)
			report.Sent(i, stored.Partition, stored.Offset)
		})
		todo.Pace(i)
	}
	job.Must(client.Flush(context.Background()))
}

func consume(todo job.Job, report *job.Report) {
	client, err := kgo.NewClient(append(connection(todo),
		kgo.ConsumerGroup(todo.Group),
		kgo.ConsumeTopics(todo.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)...)
	job.Must(err)
	defer client.Close()
	report.StartReading()
	for report.GoesOn() {
		wait, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		fetches := client.PollFetches(wait)
		cancel()
		fetches.EachRecord(func(record *kgo.Record) {
			headers := []job.Header{}
			for _, header := range record.Headers {
				headers = append(headers, job.Header{Name: header.Key, Value: header.Value})
			}
			report.Read(record.Partition, record.Offset, job.Record{Key: record.Key, Value: record.Value, Timestamp: record.Timestamp, Headers: headers})
		})
	}
	job.Must(client.CommitUncommittedOffsets(context.Background()))
}

// retryLog hands on what the library logs about sending something again.
type retryLog struct{ report *job.Report }

func (retryLog) Level() kgo.LogLevel { return kgo.LogLevelDebug }

func (log retryLog) Log(_ kgo.LogLevel, message string, keyvals ...any) {
	if strings.Contains(message, "retry") {
		log.report.Retry(fmt.Sprint(message, keyvals))
	}
}
