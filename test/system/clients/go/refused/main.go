// franz-go: pings once for each case, all at the same time, and says what the application was told.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"vkitm.test/clients/job"
)

type attempt struct {
	Name, ClientID, Bootstrap, CA, Certificate, Key, Token string
	Sasl                                                   *job.Sasl
}

func main() {
	var todo struct {
		Cases     []attempt
		TimeoutMs int
	}
	job.Must(json.NewDecoder(os.Stdin).Decode(&todo))
	var running sync.WaitGroup
	var mutex sync.Mutex
	for _, each := range todo.Cases {
		running.Add(1)
		go func() {
			defer running.Done()
			told := ping(each, time.Duration(todo.TimeoutMs)*time.Millisecond)
			line, err := json.Marshal(map[string]any{"case": each.Name, "errors": told})
			job.Must(err)
			mutex.Lock()
			defer mutex.Unlock()
			fmt.Println(string(line))
		}()
	}
	running.Wait()
}

func ping(each attempt, patience time.Duration) []string {
	pem, err := os.ReadFile(each.CA)
	job.Must(err)
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(pem)
	if each.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(each.Certificate, each.Key)
		job.Must(err)
		config.Certificates = []tls.Certificate{pair}
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(each.Bootstrap), kgo.ClientID(each.ClientID), kgo.DialTLSConfig(config), kgo.RequestRetries(0),
	}
	if each.Sasl != nil {
		options = append(options, kgo.SASL(scram.Auth{User: each.Sasl.Username, Pass: each.Sasl.Password}.AsSha512Mechanism()))
	}
	if each.Token != "" {
		options = append(options, kgo.SASL(oauth.Auth{Token: each.Token}.AsMechanism()))
	}
	client, err := kgo.NewClient(options...)
	job.Must(err)
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	told := []string{}
	for err := client.Ping(ctx); err != nil; err = errors.Unwrap(err) {
		told = append(told, err.Error())
	}
	return told
}
