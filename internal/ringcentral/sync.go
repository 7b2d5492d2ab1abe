package ringcentral

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// SyncQuery asks for what is in the message store, or for what changed in it since a token.
type SyncQuery struct {
	// Token is that of the answer before. Empty = a full synchronization from From on.
	Token string
	// From and To bound a full one. From must be set: the defaults that are documented contradict each other, a day and a week.
	From, To time.Time
	// Types and Directions filter a full one; the token remembers them.
	Types, Directions []string
	// RecordCount asks for so many; 0 leaves it to the API, which may return more anyway. A full one that has more of them leaves out
	// the older and says so.
	RecordCount int
}

// SyncAnswer is one answer; there are no pages.
type SyncAnswer struct {
	// Records are the rows as received, never nil. They repeat: the platform reads back five seconds at least. Of a deleted or purged message
	// there is only the id and the availability.
	Records []json.RawMessage
	// Token continues from here.
	Token string
	// Time is the platform's, of this answer; zero if it can't be read.
	Time time.Time
	// OlderRecordsExist says that a full one left out older records.
	OlderRecordsExist bool
}

// SyncMessages reads the store, or its changes. If the platform doesn't know the token any more, the error is ErrSyncTokenLost.
func (p *Platform) SyncMessages(ctx context.Context, q SyncQuery) (SyncAnswer, error) {
	query := url.Values{}
	if q.Token != "" {
		query.Set("syncType", "ISync")
		query.Set("syncToken", q.Token)
	} else {
		if q.From.IsZero() {
			return SyncAnswer{}, invalid(opSyncMessages, "a full synchronization needs its beginning")
		}
		query.Set("syncType", "FSync")
		between(query, q.From, q.To)
		for name, values := range map[string][]string{"messageType": q.Types, "direction": q.Directions} {
			if len(values) > 0 {
				query[name] = values
			}
		}
	}
	if q.RecordCount > 0 {
		query.Set("recordCount", strconv.Itoa(q.RecordCount))
	}
	var answer SyncAnswer
	k := call{
		op: opSyncMessages, method: http.MethodGet, path: extensionPath + "/message-sync", query: query, priority: Poll,
		read: readSync(&answer),
	}
	if q.Token != "" {
		k.sentinel = tokenLost
	}
	err := p.c.do(ctx, k)
	return answer, err
}

// tokenLost recognizes both ways of saying that the token is of no use: that a full synchronization is required, and that the parameter
// is invalid. A CMN-101 that names another parameter is a mistake of ours; one that names none can only mean the token, as little else
// is sent.
func tokenLost(status int, e explanation) error {
	if status != http.StatusBadRequest {
		return nil
	}
	for _, f := range e.faults {
		if f.code == "MSG-333" || f.code == "CMN-101" && (f.parameter == "" || f.parameter == "syncToken") {
			return ErrSyncTokenLost
		}
	}
	return nil
}

func readSync(answer *SyncAnswer) func([]byte) error {
	return func(body []byte) error {
		var envelope struct {
			Records  *[]json.RawMessage `json:"records"`
			SyncInfo struct {
				SyncToken         string    `json:"syncToken"`
				SyncTime          Timestamp `json:"syncTime"`
				OlderRecordsExist bool      `json:"olderRecordsExist"`
			} `json:"syncInfo"`
		}
		if err := json.Unmarshal(body, &envelope); err != nil {
			return errNotPage
		}
		if envelope.Records == nil {
			return errNoRecords
		}
		if envelope.SyncInfo.SyncToken == "" {
			return errNoSyncToken
		}
		*answer = SyncAnswer{
			Records: *envelope.Records, Token: envelope.SyncInfo.SyncToken, Time: envelope.SyncInfo.SyncTime.Time,
			OlderRecordsExist: envelope.SyncInfo.OlderRecordsExist,
		}
		return nil
	}
}
