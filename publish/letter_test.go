package publish_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ringbridge/ringbridge/internal/deadletter"
)

func TestWhatNoParserUnderstandsIsALetter(t *testing.T) {
	onBench(t, func(b *bench) {
		defer b.start()()
		odd := webhook(`{"type":"content.imported","resource":{"id":null,"metadata":{"thread_id":"t1","body":"private words"}}}`)
		headers := []kgo.RecordHeader{{Key: "x", Value: []byte{0xff, 0}}, {Key: "ringbridge.dlq.redrives", Value: []byte("2")}}
		value, err := b.codec.Encode(&odd)
		require.NoError(b, err)
		garbage := &kgo.Record{Topic: b.names.Inbox, Key: nil, Value: []byte("no Avro"), Headers: headers}
		require.NoError(b, b.client.ProduceSync(b.Context(), garbage, &kgo.Record{Topic: b.names.Inbox, Key: []byte("t1"), Value: value, Headers: headers[:1]}).FirstErr())
		b.arrive(thread("t1", "c2", "hi"))
		b.settle()
		once(b, 1)
		letters := b.committed(b.names.InboxDLQ)
		require.Len(b, letters, 2)
		for _, r := range letters {
			letter, ok := deadletter.Parse(r.Headers)
			require.True(b, ok)
			require.Equal(b, deadletter.Undecodable, letter.Reason)
			require.Equal(b, b.names.Inbox, letter.Topic)
			require.Equal(b, "t.publish", letter.Group)
			require.Equal(b, 1, letter.Attempts)
			require.Zero(b, letter.HTTPStatus)
			require.Equal(b, headers[:1], deadletter.Strip(r.Headers))
			require.NotContains(b, letter.Message, "private words")
			if r.Key == nil {
				require.Equal(b, "no Avro", string(r.Value))
				require.Equal(b, 2, letter.Redrives)
				require.Equal(b, garbage.Offset, letter.Offset)
				continue
			}
			require.Equal(b, string(odd.Body), string(r.Value), "the event as received, not the arrival around it")
			require.Contains(b, letter.Message, "resource.id")
		}
		require.Equal(b, 2, b.metric("ringbridge_publish_letters_total"))
	})
}

// Peer failure 13: of a batch, the bad records were passed over without a letter.
func TestInABatchEveryBadRecordHasItsLetter(t *testing.T) {
	onBench(t, func(b *bench) {
		var batch []*kgo.Record
		for n := range 60 {
			arrival := thread("t1", fmt.Sprint("c", n), "hi")
			value, err := b.codec.Encode(&arrival)
			require.NoError(b, err)
			switch n % 4 {
			case 1:
				value = []byte(fmt.Sprint("no Avro ", n))
			case 2:
				value = nil
			case 3:
				value = value[:len(value)-n]
			}
			batch = append(batch, &kgo.Record{Topic: b.names.Inbox, Key: []byte("t1"), Value: value})
		}
		require.NoError(b, b.client.ProduceSync(b.Context(), batch...).FirstErr())
		defer b.start()()
		b.arrive(thread("t1", "last", "hi"))
		b.settle()
		once(b, 16)
		bad := map[int64][]byte{}
		for n, r := range batch {
			if n%4 != 0 {
				bad[r.Offset] = r.Value
			}
		}
		letters := map[int64][]byte{}
		for _, r := range b.committed(b.names.InboxDLQ) {
			letter, ok := deadletter.Parse(r.Headers)
			require.True(b, ok)
			letters[letter.Offset] = r.Value
		}
		require.Equal(b, bad, letters)
	})
}

func TestAnEventTooLargeForItsTopicGoesWithoutItsRaw(t *testing.T) {
	onBench(t, func(b *bench) {
		defer b.start()()
		b.arrive(thread("t1", "c1", strings.Repeat("x", 600_000)), thread("t1", "c2", "hi"))
		b.settle()
		for _, event := range b.contents() {
			require.Equal(b, event.Content.ID == "c2", event.Raw != nil)
		}
		once(b, 2)
	})
}

func TestAnEventTooLargeAtAllIsALetterAndCanBeReplayed(t *testing.T) {
	onBench(t, func(b *bench) {
		small := "9000"
		alter := func(value *string) {
			req := kmsg.NewPtrIncrementalAlterConfigsRequest()
			resource := kmsg.NewIncrementalAlterConfigsRequestResource()
			resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, b.names.Contents
			config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
			config.Name, config.Value = "max.message.bytes", value
			resource.Configs = append(resource.Configs, config)
			req.Resources = append(req.Resources, resource)
			_, err := req.RequestWith(b.Context(), b.client)
			require.NoError(b, err)
		}
		alter(&small)
		stop := b.start()
		large := thread("t1", "c1", strings.Repeat("x", 10_000))
		b.arrive(thread("t1", "c0", "hi"), large, thread("t1", "c2", "hi"))
		b.settle()
		once(b, 2)
		letters := b.committed(b.names.InboxDLQ)
		require.Len(b, letters, 1)
		letter, _ := deadletter.Parse(letters[0].Headers)
		require.Equal(b, deadletter.Internal, letter.Reason)
		stop()
		small = "1000000"
		alter(&small)
		defer b.start()()
		b.arrive(large)
		b.settle()
		once(b, 3)
	})
}
