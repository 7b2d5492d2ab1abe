package crash

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
)

// A sender sends the webhooks of one conversation, each after the one before was answered 200.
//
// It goes to the replicas in turn. Where one of them has answered 200 and something waits on its disk since, it stays with
// that one for as long as it answers: order holds within a spool. Two spools know nothing of each other, and what
// one takes may overtake what waits in the other. The book is told when that can be, and counts the order of all else.
type sender struct {
	*bed
	path           string // of the receiver
	header, secret string // that it wants to see
	turn           int    // whose it is to be asked first
	last           int    // who answered last
}

// post sends a request, now to one replica and now to the other, until it is answered 200.
func (s *sender) post(ctx context.Context, body []byte, ids ...string) error {
	s.turn++
	if s.replicas[s.last].disk().holds() {
		s.turn = s.last
	}
	client := http.Client{Timeout: webhookPatient}
	for try := s.turn; ; try++ {
		to := s.replicas[try%replicas]
		for _, other := range s.replicas {
			if other != to && other.disk().holds() {
				s.book.MayOvertake(other.name, ids...)
			}
		}
		status, err := s.postOnce(ctx, &client, to, body)
		switch {
		case err == nil && status == http.StatusOK:
			s.last = try % replicas
			s.acknowledged(to, ids)
			return nil
		case err == nil && status == http.StatusServiceUnavailable && s.full.Load():
			s.refused.Add(1)
		}
		if err := wait(ctx, tick); err != nil {
			return err
		}
	}
}

// acknowledged notes where the request is now.
func (s *sender) acknowledged(by *replica, ids []string) {
	if by.disk().holds() {
		s.book.Spooled(by.name, ids...)
	} else {
		s.book.Acknowledged(ids...)
	}
}

func (s *sender) postOnce(ctx context.Context, client *http.Client, to *replica, body []byte) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+to.public+s.path, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("crash: %w", err)
	}
	req.Header.Set(s.header, s.secret)
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}
