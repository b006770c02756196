package main

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func administer(todo step, answer *answer) {
	client := todo.client()
	defer client.Close()
	wait, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	switch todo.Do {
	case "createTopic":
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic, topic.NumPartitions, topic.ReplicationFactor = todo.Name, 1, 1
		request := kmsg.NewPtrCreateTopicsRequest()
		request.Topics = append(request.Topics, topic)
		ask(wait, client, request, answer, todo.Do, func(response *kmsg.CreateTopicsResponse) {
			for _, each := range response.Topics {
				answer.code(each.ErrorCode, each.Topic)
			}
		})
	case "deleteTopic":
		topic := kmsg.NewDeleteTopicsRequestTopic()
		topic.Topic = &todo.Name
		request := kmsg.NewPtrDeleteTopicsRequest()
		request.Topics, request.TopicNames = append(request.Topics, topic), []string{todo.Name}
		ask(wait, client, request, answer, todo.Do, func(response *kmsg.DeleteTopicsResponse) {
			for _, each := range response.Topics {
				answer.code(each.ErrorCode, todo.Name)
			}
		})
	case "describeGroup":
		request := kmsg.NewPtrDescribeGroupsRequest()
		request.Groups = []string{todo.Name}
		ask(wait, client, request, answer, todo.Do, func(response *kmsg.DescribeGroupsResponse) {
			for _, each := range response.Groups {
				answer.code(each.ErrorCode, each.Group)
			}
		})
	case "deleteGroup":
		request := kmsg.NewPtrDeleteGroupsRequest()
		request.Groups = []string{todo.Name}
		ask(wait, client, request, answer, todo.Do, func(response *kmsg.DeleteGroupsResponse) {
			for _, each := range response.Groups {
				answer.code(each.ErrorCode, each.Group)
			}
		})
	default:
		panic("unknown step: " + todo.Do)
	}
}

func ask[Response kmsg.Response](
	wait context.Context, client *kgo.Client, request kmsg.Request, answer *answer, about string, judge func(Response),
) {
	response, err := client.Request(wait, request)
	if err != nil {
		answer.failed(err, about)
		return
	}
	judge(response.(Response))
}
