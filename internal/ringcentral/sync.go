package ringcentral

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
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
	// Token continues from here. Empty if the platform gives none: then the store has to be read in full again.
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

// tokenLost recognizes that the platform does not take the token, in whatever words. A request that goes on from a token holds nothing
// else that could be wrong, so any refusal by which the platform says that the request is wrong is about the token. It is not if the
// answer names another parameter, or is about the credential, a permission, or the rate.
func tokenLost(status int, e explanation) error {
	if outcomeOf(status) != Refused || status == http.StatusUnauthorized || status == http.StatusTooManyRequests {
		return nil
	}
	for _, f := range e.faults {
		switch {
		case f.code == codeSyncRequired || strings.Contains(strings.ToLower(f.parameter), "synctoken"):
			return ErrSyncTokenLost
		case f.parameter != "":
			return nil
		}
	}
	switch status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusPreconditionFailed,
		http.StatusRequestURITooLong, http.StatusUnprocessableEntity:
		return ErrSyncTokenLost
	}
	if tokenRefused.MatchString(e.message) {
		return ErrSyncTokenLost
	}
	return nil
}

// codeSyncRequired says that a full synchronization is required, with whatever status.
const codeSyncRequired = "MSG-333"

// tokenRefused finds in a message that the token is meant.
var tokenRefused = regexp.MustCompile(`(?i)sync[ _-]?token|full synchroni[sz]ation`)

// readSync decodes an answer. What is missing in it is left empty: the rows count.
func readSync(answer *SyncAnswer) func([]byte) error {
	return func(body []byte) error {
		e, err := readEnvelope(body)
		if err != nil {
			return err
		}
		records, err := e.records("syncInfo")
		if err != nil {
			return err
		}
		info := e.object("syncInfo")
		*answer = SyncAnswer{
			Records: records, Token: info.text("syncToken"), Time: info.timestamp("syncTime").Time, OlderRecordsExist: info.flag("olderRecordsExist"),
		}
		return nil
	}
}
