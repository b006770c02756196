// Package job says what to do and how to report it, as described in ../../README.md.
package job

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

const keys = 97

type Job struct {
	Bootstrap      []string
	CA             string
	Certificate    string
	Key            string
	Topic          string
	Group          string
	Records        int
	FirstTimestamp int64
	PerSecond      int
	Idempotent     bool
	Sasl           *Sasl
}

type Sasl struct {
	Mechanism, Username, Password, TokenFile string
}

type Header struct {
	Name  string
	Value []byte
}

type Record struct {
	Key, Value []byte
	Timestamp  time.Time
	Headers    []Header
}

func Read() Job {
	var job Job
	Must(json.NewDecoder(os.Stdin).Decode(&job))
	return job
}

func (job Job) Record(i int) Record {
	key := fmt.Sprintf("k-%d", i%keys)
	value := fmt.Sprintf("%s|%s|%d|%d|%s", job.Topic, key, i/keys, i, strings.Repeat("x", i%200))
	return Record{
		Key:       []byte(key),
		Value:     []byte(value),
		Timestamp: time.UnixMilli(job.FirstTimestamp + 3*int64(i)),
		Headers:   []Header{{"n", []byte(fmt.Sprint(i))}, {"trace", []byte{0, 0xff, byte(i)}}},
	}
}

func (job Job) Pace(i int) {
	if job.PerSecond > 0 && i%50 == 49 {
		time.Sleep(50 * time.Second / time.Duration(job.PerSecond))
	}
}

// TLS is nil where the connection is to be plaintext.
func (job Job) TLS() *tls.Config {
	if job.CA == "" {
		return nil
	}
	pem, err := os.ReadFile(job.CA)
	Must(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	config := &tls.Config{RootCAs: roots}
	if job.Certificate != "" {
		certificate, err := tls.LoadX509KeyPair(job.Certificate, job.Key)
		Must(err)
		config.Certificates = []tls.Certificate{certificate}
	}
	return config
}

func Must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Report prints one JSON object per line.
type Report struct {
	mutex  sync.Mutex
	out    *bufio.Writer
	unseen map[string]bool
	last   time.Time
}

func NewReport(job Job) *Report {
	unseen := map[string]bool{}
	for i := range job.Records {
		unseen[fmt.Sprint(i)] = true
	}
	return &Report{out: bufio.NewWriterSize(os.Stdout, 1<<16), unseen: unseen}
}

func (report *Report) Sent(i int, partition int32, offset int64) {
	report.line(map[string]any{"sent": i, "partition": partition, "offset": offset})
	if i%50 == 0 {
		report.Flush()
	}
}

func (report *Report) Retry(text string) {
	report.line(map[string]any{"retry": text})
}

func (report *Report) Read(partition int32, offset int64, record Record) {
	headers := [][]any{}
	for _, header := range record.Headers {
		headers = append(headers, []any{header.Name, header.Value})
		if header.Name == "n" {
			delete(report.unseen, string(header.Value))
		}
	}
	report.last = time.Now()
	report.line(map[string]any{"read": map[string]any{
		"partition": partition,
		"offset":    offset,
		"timestamp": record.Timestamp.UnixMilli(),
		"key":       record.Key,
		"value":     record.Value,
		"headers":   headers,
	}})
}

// GoesOn is called by the consumer before each look for more.
func (report *Report) GoesOn() bool {
	silence := time.Second
	if len(report.unseen) > 0 {
		silence = time.Minute
	}
	return time.Since(report.last) < silence
}

// StartReading begins the minute of silence that a consumer may take.
func (report *Report) StartReading() {
	report.last = time.Now()
}

func (report *Report) Flush() {
	report.mutex.Lock()
	defer report.mutex.Unlock()
	Must(report.out.Flush())
}

func (report *Report) line(object map[string]any) {
	line, err := json.Marshal(object)
	Must(err)
	report.mutex.Lock()
	defer report.mutex.Unlock()
	report.out.Write(line)
	report.out.WriteByte('\n')
}
