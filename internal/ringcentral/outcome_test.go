package ringcentral_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// listen answers each connection with handle and returns the address.
func listen(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			handle(c)
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return "http://" + l.Addr().String()
}

func readRequest(c net.Conn) {
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err == nil {
		_, _ = io.Copy(io.Discard, r.Body)
	}
}

func reset(c net.Conn) {
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

func TestNotSentAndUnknownAreToldApart(t *testing.T) {
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, dead.Close())
	plain := serve(t, content)

	for fact, c := range map[string]struct {
		base string
		want ringcentral.Outcome
	}{
		"connection refused":               {"http://" + dead.Addr().String(), ringcentral.NotSent},
		"no such host":                     {"http://nobody.invalid", ringcentral.NotSent},
		"TLS to a server that speaks none": {"https://" + plain.Listener.Addr().String(), ringcentral.NotSent},
		"reset after the request was read": {listen(t, func(c net.Conn) { readRequest(c); reset(c) }), ringcentral.Unknown},
		"closed without an answer":         {listen(t, func(c net.Conn) { readRequest(c); _ = c.Close() }), ringcentral.Unknown},
		"an answer that isn't HTTP":        {listen(t, func(c net.Conn) { readRequest(c); _, _ = io.WriteString(c, "nonsense\r\n\r\n"); _ = c.Close() }), ringcentral.Unknown},
		"reset within the answer's body": {listen(t, func(c net.Conn) {
			readRequest(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
			_ = c.Close()
		}), ringcentral.Unknown},
		"a refusal whose body breaks off is a refusal": {listen(t, func(c net.Conn) {
			readRequest(c)
			_, _ = io.WriteString(c, "HTTP/1.1 422 No\r\nContent-Length: 100\r\n\r\n{")
			_ = c.Close()
		}), ringcentral.Refused},
	} {
		t.Run(fact, func(t *testing.T) {
			_, err := engage(t, c.base, ringcentral.Deps{}).CreateContent(t.Context(), reply())
			require.Equal(t, c.want.String(), failure(t, err).Outcome.String(), err)
		})
	}
}

func TestAnUntrustedCertificateIsNotSentTo(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(content))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	_, err := engage(t, s.URL, ringcentral.Deps{}).CreateContent(t.Context(), reply())
	require.Equal(t, ringcentral.NotSent, failure(t, err).Outcome)
}

func TestHTTP2IsNeverSpoken(t *testing.T) {
	versions := make(chan int, 2)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		versions <- r.ProtoMajor
		content(w, r)
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	given := s.Client()
	resp, err := given.Get(s.URL) // from here on it is prepared for HTTP/2
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 2, <-versions)

	_, err = engage(t, s.URL, ringcentral.Deps{HTTP: given}).CreateContent(t.Context(), reply())
	require.NoError(t, err)
	require.Equal(t, 1, <-versions)
}

func TestATimeOutMayHaveHappened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := virtual(t, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // only then does the server see that we go
			<-r.Context().Done()
		})
		e := engage(t, "http://api.example", ringcentral.Deps{HTTP: &http.Client{Transport: transport}})
		begin := time.Now()
		_, err := e.CreateContent(ringcentral.WithCallTimeout(t.Context(), time.Second), reply())
		require.Equal(t, ringcentral.Unknown, failure(t, err).Outcome)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(begin))

		_, err = e.CreateContent(t.Context(), reply())
		require.ErrorIs(t, err, context.DeadlineExceeded, "no call waits for ever")

		stopping := errors.New("stopping")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(stopping) })
		_, err = e.CreateContent(ctx, reply())
		require.Equal(t, ringcentral.Unknown, failure(t, err).Outcome)
		require.ErrorIs(t, err, stopping, "the caller must see why its context ended")
	})
}

func TestACallWithAContextThatHasEndedIsNotSent(t *testing.T) {
	s := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("sent") })
	stopping := errors.New("stopping")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stopping)
	_, err := engage(t, s.URL, ringcentral.Deps{}).CreateContent(ctx, reply())
	require.Equal(t, ringcentral.NotSent, failure(t, err).Outcome)
	require.ErrorIs(t, err, stopping)
}

// A transport that is slow to connect, whose caller gives up meanwhile: nothing may leave later.
func TestACallGivenUpWhileConnectingIsNotSent(t *testing.T) {
	var requests atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { requests.Add(1); content(w, r) })
	connected, connect := make(chan struct{}), make(chan struct{})
	transport := &http.Transport{DialContext: func(_ context.Context, network, addr string) (net.Conn, error) {
		<-connect
		defer close(connected)
		return net.Dial(network, addr)
	}}
	e := engage(t, s.URL, ringcentral.Deps{HTTP: &http.Client{Transport: transport}})
	_, err := e.CreateContent(ringcentral.WithCallTimeout(t.Context(), 10*time.Millisecond), reply())
	require.Equal(t, ringcentral.NotSent, failure(t, err).Outcome)
	close(connect)
	<-connected
	require.Zero(t, requests.Load())
}

func TestAPostIsNeverSentTwice(t *testing.T) {
	var requests atomic.Int32
	base := listen(t, func(c net.Conn) {
		defer c.Close()
		r := bufio.NewReader(c)
		for range 2 { // the first is answered, so that the second goes on the same connection
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			if requests.Add(1) == 1 {
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"id\":\"c1\"}")
			}
		}
		reset(c)
	})
	e := engage(t, base, ringcentral.Deps{})
	ok := ringcentral.Handover{From: "bot", To: "agent"} // without a body, which net/http repeats most easily
	require.NoError(t, e.Handover(t.Context(), ok))
	err := e.Handover(t.Context(), ok)
	require.Equal(t, ringcentral.Unknown, failure(t, err).Outcome)
	require.EqualValues(t, 2, requests.Load())
}

func TestAForeignTransportIsJudgedWithCare(t *testing.T) {
	for fact, c := range map[string]struct {
		err  error
		want ringcentral.Outcome
	}{
		"a dial that failed sent nothing": {&net.OpError{Op: "dial", Err: errors.New("refused")}, ringcentral.NotSent},
		"a name that isn't known neither": {&net.DNSError{Err: "no such host"}, ringcentral.NotSent},
		"a read may have followed a send": {&net.OpError{Op: "read", Err: errors.New("reset")}, ringcentral.Unknown},
		"anything else may have happened": {errors.New("broken"), ringcentral.Unknown},
		"a certificate seen too late too": {&tls.CertificateVerificationError{}, ringcentral.Unknown},
	} {
		t.Run(fact, func(t *testing.T) {
			e := engage(t, "http://api.example", ringcentral.Deps{HTTP: &http.Client{Transport: tripper(func(*http.Request) (*http.Response, error) {
				return nil, c.err
			})}})
			_, err := e.CreateContent(t.Context(), reply())
			require.Equal(t, c.want, failure(t, err).Outcome)
		})
	}
}

func TestWhyTheContextEndedIsToldWhateverTheTransportSays(t *testing.T) {
	stopping := errors.New("stopping")
	ctx, cancel := context.WithCancelCause(t.Context())
	e := engage(t, "http://api.example", ringcentral.Deps{HTTP: &http.Client{Transport: tripper(func(*http.Request) (*http.Response, error) {
		cancel(stopping)
		return nil, net.ErrClosed
	})}})
	_, err := e.CreateContent(ctx, reply())
	require.ErrorIs(t, err, stopping)
	require.ErrorIs(t, err, net.ErrClosed)
}

// A server that stops reading lets the buffers fill; the call is given up; what lies in our kernel must not arrive afterwards.
func TestACallGivenUpIsResetAndNotDeliveredLater(t *testing.T) {
	ctx, giveUp := context.WithCancel(t.Context())
	gone := make(chan struct{})
	received := make(chan error, 1)
	base := listen(t, func(c net.Conn) {
		defer c.Close()
		_, _ = c.Read(make([]byte, 1)) // it has begun
		giveUp()
		<-gone
		_, err := io.Copy(io.Discard, c)
		received <- err
	})
	big := reply()
	big.Body = strings.Repeat("x", 16<<20)
	_, err := engage(t, base, ringcentral.Deps{}).CreateContent(ctx, big)
	close(gone)
	require.Equal(t, ringcentral.Unknown, failure(t, err).Outcome)
	require.Error(t, <-received, "a connection closed in order would have delivered the rest")
}
