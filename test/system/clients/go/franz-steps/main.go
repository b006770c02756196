// franz-go, told step by step what to do.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"vkitm.test/clients/job"
)

// Whatever takes longer is a hang.
const patience = 8 * time.Second

type step struct {
	job.Job
	Do              string
	Name            string
	Value           string
	Topics          []string
	To              string
	DeadLetters     string
	TransactionalID string
	Errors          int
	ForMs           int
	ThenMs          int
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Scan()
	connection := append([]byte{}, lines.Bytes()...)
	for lines.Scan() {
		var todo step
		job.Must(json.Unmarshal(connection, &todo))
		job.Must(json.Unmarshal(lines.Bytes(), &todo))
		answer := newAnswer()
		take(todo, answer)
		text, err := json.Marshal(map[string]any{"step": answer.result()})
		job.Must(err)
		fmt.Println(string(text))
	}
	job.Must(lines.Err())
}

func take(todo step, answer *answer) {
	switch todo.Do {
	case "produce":
		produce(todo, answer)
	case "consume":
		consume(todo, answer)
	case "transact":
		transact(todo, answer)
	case "pipeline":
		pipeline(todo, answer)
	default:
		administer(todo, answer)
	}
}

func (todo step) client(more ...kgo.Opt) *kgo.Client {
	client, err := kgo.NewClient(append(todo.options(), more...)...)
	job.Must(err)
	return client
}

func (todo step) options() []kgo.Opt {
	return []kgo.Opt{
		kgo.SeedBrokers(todo.Bootstrap...),
		kgo.ClientID("franz-go"),
		kgo.DialTLSConfig(todo.TLS()),
		kgo.RetryTimeout(patience),
		kgo.RecordDeliveryTimeout(patience),
	}
}

func (todo step) group() []kgo.Opt {
	return []kgo.Opt{
		kgo.ConsumerGroup(todo.Group),
		kgo.ConsumeTopics(todo.Topics...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
	}
}

// Lingers long enough to have the records of all topics on their way together.
func produce(todo step, answer *answer) {
	client := todo.client(kgo.ProducerLinger(500 * time.Millisecond))
	defer client.Close()
	send(todo, client, answer, todo.Value)
}

func send(todo step, client *kgo.Client, answer *answer, value string) {
	for i := range todo.Records {
		for _, topic := range todo.Topics {
			record := &kgo.Record{Topic: topic, Value: []byte(fmt.Sprint(value, i))}
			client.Produce(context.Background(), record, func(_ *kgo.Record, err error) {
				if err == nil {
					answer.count(answer.stored, topic)
				} else {
					answer.failed(err, topic)
				}
			})
		}
	}
	job.Must(client.Flush(context.Background()))
}

// The denial of a transactional id comes with the first record, not with the call that begins the transaction.
func transact(todo step, answer *answer) {
	client := todo.client(kgo.TransactionalID(todo.TransactionalID))
	defer client.Close()
	if err := client.BeginTransaction(); err != nil {
		answer.failed(err, "BeginTransaction")
		return
	}
	todo.Records = 1
	send(todo, client, answer, "in a transaction")
	end := kgo.TransactionEndTry(len(answer.errors) == 0)
	answer.failed(client.EndTransaction(context.Background(), end), "EndTransaction")
}

// Goes on for a while after it has seen what it waits for: does the library calm down?
func consume(todo step, answer *answer) {
	client := todo.client(todo.group()...)
	defer client.Close()
	end := time.Now().Add(time.Duration(todo.ForMs) * time.Millisecond)
	for complete := false; time.Now().Before(end); {
		answer.handed(poll(client, answer))
		if !complete && answer.reads() >= todo.Records && len(answer.errors) >= todo.Errors {
			complete = true
			if then := time.Now().Add(time.Duration(todo.ThenMs) * time.Millisecond); then.Before(end) {
				end = then
			}
		}
	}
}

func poll(client interface {
	PollFetches(context.Context) kgo.Fetches
}, answer *answer) kgo.Fetches {
	wait, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	fetches := client.PollFetches(wait)
	fetches.EachError(func(topic string, _ int32, err error) {
		if topic != "" || !errors.Is(err, context.DeadlineExceeded) {
			answer.failed(err, topic)
		}
	})
	return fetches
}
