package main

import (
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// answer is what became of one step.
type answer struct {
	mutex   sync.Mutex
	started time.Time
	stored  map[string]int
	read    map[string]int
	errors  map[string]bool
}

func newAnswer() *answer {
	return &answer{started: time.Now(), stored: map[string]int{}, read: map[string]int{}, errors: map[string]bool{}}
}

func (answer *answer) count(counts map[string]int, topic string) {
	answer.mutex.Lock()
	defer answer.mutex.Unlock()
	counts[topic]++
}

// failed keeps Kafka's name of an error, or the library's text.
func (answer *answer) failed(err error, about string) {
	if err == nil {
		return
	}
	text := fmt.Sprintf("%v", err)
	var kafka *kerr.Error
	if errors.As(err, &kafka) {
		text = kafka.Message
	}
	if about != "" {
		text += " " + about
	}
	answer.mutex.Lock()
	defer answer.mutex.Unlock()
	answer.errors[text] = true
}

func (answer *answer) code(code int16, about string) {
	answer.failed(kerr.ErrorForCode(code), about)
}

func (answer *answer) result() map[string]any {
	answer.mutex.Lock()
	defer answer.mutex.Unlock()
	return map[string]any{
		"stored": answer.stored,
		"read":   answer.read,
		"errors": answer.sorted(),
		"tookMs": time.Since(answer.started).Milliseconds(),
	}
}

func (answer *answer) handed(fetches kgo.Fetches) {
	fetches.EachRecord(func(record *kgo.Record) { answer.count(answer.read, record.Topic) })
}

func (answer *answer) reads() int {
	reads := 0
	for _, count := range answer.read {
		reads += count
	}
	return reads
}

func (answer *answer) sorted() []string {
	errors := []string{}
	for text := range answer.errors {
		errors = append(errors, text)
	}
	sort.Strings(errors)
	return errors
}
