package main

import (
	"context"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"vkitm.test/clients/job"
)

// pipeline reads, changes and writes in transactions, offsets included; what it does not understand goes to a topic of
// its own.
func pipeline(todo step, answer *answer) {
	session, err := kgo.NewGroupTransactSession(
		append(append(todo.options(), todo.group()...), kgo.TransactionalID(todo.TransactionalID))...,
	)
	job.Must(err)
	defer session.Close()
	end := time.Now().Add(time.Duration(todo.ForMs) * time.Millisecond)
	for answer.reads() < todo.Records && len(answer.errors) == 0 && time.Now().Before(end) {
		fetches := poll(session, answer)
		if fetches.NumRecords() > 0 {
			pass(todo, session, fetches, answer)
		}
	}
}

func pass(todo step, session *kgo.GroupTransactSession, fetches kgo.Fetches, answer *answer) {
	if err := session.Begin(); err != nil {
		answer.failed(err, "Begin")
		return
	}
	var records []*kgo.Record
	fetches.EachRecord(func(record *kgo.Record) {
		to := todo.To
		if strings.HasPrefix(string(record.Value), "bad") {
			to = todo.DeadLetters
		}
		records = append(records, &kgo.Record{Topic: to, Value: []byte(strings.ToUpper(string(record.Value)))})
	})
	for _, result := range session.ProduceSync(context.Background(), records...) {
		answer.failed(result.Err, result.Record.Topic)
	}
	committed, err := session.End(context.Background(), kgo.TransactionEndTry(len(answer.errors) == 0))
	answer.failed(err, "End")
	if committed {
		answer.handed(fetches)
	}
}
