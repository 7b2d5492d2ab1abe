package realparts

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"sync"
)

// Decoder reads values from Kafka with Apache Avro, in a Java program of its own that fetches each writer's
// schema from the registry: what any other reader of our topics would see. Safe for concurrent use; calls
// are answered one at a time.
type Decoder struct {
	mu  sync.Mutex
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	err bytes.Buffer // the program's stderr; to be read only after it has ended
}

// Decoded is one value, as it was written.
type Decoded struct {
	Schema string          `json:"schema"` // full name of the writer's schema
	ID     int             `json:"id"`     // the id in the frame
	Value  json.RawMessage `json:"value"`
	Error  string          `json:"error"`
}

// NewDecoder starts a decoder that reads schemas from the Confluent API at registryURL. It needs a Close, and ends with
// our process in any case. ctx bounds the start only.
func NewDecoder(ctx context.Context, registryURL string) (*Decoder, error) {
	at, err := findInstall(ctx)
	if err != nil {
		return nil, err
	}
	d := &Decoder{}
	d.cmd = exec.CommandContext(context.WithoutCancel(ctx), at.java, "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-cp", filepath.Join(at.dir, "avro", "*"), filepath.Join(at.repo, "Decode.java"), registryURL)
	d.cmd.Stderr = &d.err
	if d.in, err = d.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("realparts: decoder: %w", err)
	}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("realparts: decoder: %w", err)
	}
	d.out = bufio.NewReader(out)
	if err := d.cmd.Start(); err != nil {
		return nil, fmt.Errorf("realparts: decoder: %w", err)
	}
	return d, nil
}

// Decode returns the value's record as JSON: timestamps as RFC 3339 with three digits of a second, bytes as base64, enums
// as their symbol, a union of null and one type bare, a union of several as {"full name": value}. The error says why
// a value does not decode to its last byte.
func (d *Decoder) Decode(value []byte) (json.RawMessage, error) {
	full, err := d.DecodeFull(value)
	return full.Value, err
}

// DecodeFull is Decode, with the name and id of the schema it was written with.
func (d *Decoder) DecodeFull(value []byte) (Decoded, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	line := base64.StdEncoding.EncodeToString(value) + "\n"
	if _, err := io.WriteString(d.in, line); err != nil {
		return Decoded{}, d.gone(err)
	}
	answer, err := d.out.ReadBytes('\n')
	if err != nil {
		return Decoded{}, d.gone(err)
	}
	var out Decoded
	if err := json.Unmarshal(answer, &out); err != nil {
		return Decoded{}, fmt.Errorf("realparts: decoder: its answer: %w", err)
	}
	if out.Error != "" {
		return Decoded{}, fmt.Errorf("realparts: decode: %s", out.Error)
	}
	return out, nil
}

// Close ends the program and waits for it.
func (d *Decoder) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := errors.Join(d.in.Close(), d.cmd.Wait()); err != nil {
		return fmt.Errorf("realparts: close decoder: %w: %s", err, bytes.TrimSpace(d.err.Bytes()))
	}
	return nil
}

// gone tells why the program no longer answers.
func (d *Decoder) gone(cause error) error {
	return fmt.Errorf("realparts: decoder has ended: %w: %s", errors.Join(cause, d.cmd.Wait()), bytes.TrimSpace(d.err.Bytes()))
}
