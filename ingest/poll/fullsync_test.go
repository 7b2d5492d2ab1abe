package poll_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// An account with more messages than one answer holds, of which only the newest part can
// be read for a while.
func TestAPartOfAFullSyncThatFailsIsReadLater(t *testing.T) {
	for fact, again := range map[string]bool{"by the same owner": false, "by the next": true} {
		t.Run(fact, func(t *testing.T) {
			faultyBubble(t, func(t *testing.T, b *platformBench, f *faultyPlatform) {
				stop := b.begin(t)
				time.Sleep(settle)
				stop()
				var ids []string
				for range 120 {
					ids = append(ids, b.text(t, sandbox.MessageImport{}))
					time.Sleep(time.Hour)
				}
				f.pollPlatform = fewRecords{f.pollPlatform}
				f.set(func() {
					f.sync = func(q ringcentral.SyncQuery, a ringcentral.SyncAnswer, err error) (ringcentral.SyncAnswer, error) {
						if !q.To.IsZero() {
							return ringcentral.SyncAnswer{}, refused(500, nil)
						}
						return a, err
					}
				})
				b.account.ExpireSyncTokens()
				stop = b.begin(t)
				time.Sleep(3 * time.Minute)
				require.Len(t, b.inbox.ids("message"), 50, "what could be read")
				b.comesIn(t)
				require.InDelta(t, 1, b.metric(t, "incomplete", "sms/messages"), 0)
				time.Sleep(100 * time.Hour)
				if again {
					stop()
				}
				f.set(func() { f.sync = nil })
				if again {
					b.begin(t)
				}
				time.Sleep(2 * time.Hour)
				for _, id := range ids {
					require.NotEmpty(t, b.items(id))
				}
				require.InDelta(t, 0, b.metric(t, "incomplete", "sms/messages"), 0)
			})
		})
	}
}

func TestAFullSyncThatNeverEndsIsEnded(t *testing.T) {
	for fact, invent := range map[string]bool{"with the same rows": false, "with other rows": true} {
		t.Run(fact, func(t *testing.T) {
			faultyBubble(t, func(t *testing.T, b *platformBench, f *faultyPlatform) {
				n := 0
				f.sync = func(q ringcentral.SyncQuery, a ringcentral.SyncAnswer, err error) (ringcentral.SyncAnswer, error) {
					a.OlderRecordsExist = true
					if invent && q.Token == "" {
						n++
						row := fmt.Sprintf(`{"id":%d,"type":"SMS","conversation":{"id":"7"},"creationTime":%q}`, n, time.Now().UTC().Format(time.RFC3339))
						a.Records = append(a.Records, json.RawMessage(row))
					}
					return a, err
				}
				id := b.text(t, sandbox.MessageImport{})
				b.begin(t)
				time.Sleep(settle)
				require.NotEmpty(t, b.items(id))
				b.comesIn(t)
				f.set(func() { require.LessOrEqual(t, f.syncs, 20) })
			})
		})
	}
}

func TestAFullSyncThatCannotReachBackReadsTheNewest(t *testing.T) {
	faultyBubble(t, func(t *testing.T, b *platformBench, f *faultyPlatform) {
		b.begin(t)
		time.Sleep(2 * time.Hour)
		f.set(func() {
			f.sync = func(q ringcentral.SyncQuery, a ringcentral.SyncAnswer, err error) (ringcentral.SyncAnswer, error) {
				if q.Token == "" && time.Since(q.From) > time.Hour {
					return ringcentral.SyncAnswer{}, refused(400, nil)
				}
				return a, err
			}
		})
		b.account.ExpireSyncTokens()
		b.comesIn(t)
		require.InDelta(t, 1, b.metric(t, "incomplete", "sms/messages"), 0)
		time.Sleep(3 * time.Hour)
		b.comesIn(t)
		require.InDelta(t, 0, b.metric(t, "halted", "sms/messages"), 0)
	})
}

func TestANumberOfRecordsThatIsRefusedIsLeftOut(t *testing.T) {
	faultyBubble(t, func(t *testing.T, b *platformBench, f *faultyPlatform) {
		f.sync = func(q ringcentral.SyncQuery, a ringcentral.SyncAnswer, err error) (ringcentral.SyncAnswer, error) {
			if q.RecordCount > 0 {
				return ringcentral.SyncAnswer{}, refused(400, nil)
			}
			return a, err
		}
		b.begin(t)
		time.Sleep(settle)
		b.comesIn(t)
	})
}

// The cursor never claims more than the platform's clock and ours.
func TestATimeInTheFutureMovesNothing(t *testing.T) {
	for fact, at := range map[string]time.Duration{"of the answer": 10 * 365 * 24 * time.Hour, "of a row, where the answer has none": 0} {
		t.Run(fact, func(t *testing.T) {
			faultyBubble(t, func(t *testing.T, b *platformBench, f *faultyPlatform) {
				f.sync = func(q ringcentral.SyncQuery, a ringcentral.SyncAnswer, err error) (ringcentral.SyncAnswer, error) {
					a.Time = time.Time{}
					if at > 0 {
						a.Time = time.Now().Add(at)
					}
					a.Records = append(a.Records, json.RawMessage(`{"id":77,"type":"SMS","conversation":{"id":"7"},"creationTime":"2036-01-01T00:00:00Z","lastModifiedTime":"2036-01-01T00:00:00Z"}`))
					return a, err
				}
				b.begin(t)
				time.Sleep(settle)
				require.LessOrEqual(t, b.metric(t, "known_timestamp_seconds", "sms/messages"), float64(time.Now().Unix()))
				b.account.ExpireSyncTokens()
				b.comesIn(t)
				require.LessOrEqual(t, b.metric(t, "known_timestamp_seconds", "sms/messages"), float64(time.Now().Unix()))
				require.Len(t, b.items("77"), 1)
				require.NotContains(t, b.health.all(), "sms")
			})
		})
	}
}
