package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// shownText is how much of a message's text a line of the list has.
const shownText = 60

// storedMessage is what is shown of a message, or looked for in it.
type storedMessage struct {
	ID           json.Number           `json:"id"`
	CreationTime ringcentral.Timestamp `json:"creationTime"`
	Direction    string                `json:"direction"`
	Status       string                `json:"messageStatus"`
	From         party                 `json:"from"`
	To           []party               `json:"to"`
	Subject      string                `json:"subject"`
	Attachments  []storedAttachment    `json:"attachments"`
}

type party struct {
	PhoneNumber     string `json:"phoneNumber"`
	ExtensionNumber string `json:"extensionNumber"`
}

func (p party) String() string {
	if p.PhoneNumber != "" {
		return p.PhoneNumber
	}
	return orDash(p.ExtensionNumber)
}

type storedAttachment struct {
	ID          json.Number `json:"id"`
	URI         string      `json:"uri"`
	Type        string      `json:"type"`
	ContentType string      `json:"contentType"`
	Size        json.Number `json:"size"`
	FileName    string      `json:"fileName"`
}

// shownNumber is a number in the list.
type shownNumber struct {
	Number string   `json:"number"`
	Sends  []string `json:"sends"`
	Usage  string   `json:"usage"`
	Type   string   `json:"type"`
	Status string   `json:"status"`
}

func numberShown(n ringcentral.PhoneNumber) shownNumber {
	shown := shownNumber{Number: n.PhoneNumber, Usage: n.UsageType, Type: n.Type, Status: n.Status, Sends: []string{}}
	for _, kind := range []struct {
		name string
		can  bool
	}{
		{"sms", n.SendsSMS()},
		{"mms", n.SendsMMS()},
		{"international", slices.Contains(n.Features, "InternationalSmsSender")},
		{"a2p", slices.Contains(n.Features, "A2PSmsSender")},
	} {
		if kind.can {
			shown.Sends = append(shown.Sends, kind.name)
		}
	}
	return shown
}

func (p *program) messagesNumbers(ctx context.Context, asJSON bool) error {
	return p.withPlatform(ctx, func(platform *ringcentral.Platform) error {
		numbers, err := platform.PhoneNumbers(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		if !asJSON {
			fmt.Fprintln(table, "NUMBER\tSENDS\tUSAGE\tTYPE\tSTATUS")
		}
		for _, n := range numbers {
			shown := numberShown(n)
			if asJSON {
				if err := p.printJSON(shown); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", shown.Number, orDash(strings.Join(shown.Sends, ",")), orDash(shown.Usage), orDash(shown.Type), orDash(shown.Status))
		}
		return table.Flush()
	})
}

func (p *program) messagesList(ctx context.Context, f messagesFlags) error {
	q, err := f.query(time.Now())
	if err != nil {
		return err
	}
	return p.withPlatform(ctx, func(platform *ringcentral.Platform) error {
		table := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		if !f.json {
			fmt.Fprintln(table, "ID\tCREATED\tDIRECTION\tSTATUS\tFROM\tTO\tFILES\tTEXT")
		}
		for left := f.limit; ; {
			page, err := platform.Messages(ctx, q)
			if err != nil {
				return err
			}
			for _, raw := range page.Records {
				if left--; f.limit > 0 && left < 0 {
					return table.Flush()
				}
				if err := p.showMessage(table, raw, f.json); err != nil {
					return err
				}
			}
			if q.Next = page.Next; q.Next == "" {
				return table.Flush()
			}
		}
	})
}

func (p *program) showMessage(table *tabwriter.Writer, raw json.RawMessage, asJSON bool) error {
	if asJSON {
		var line bytes.Buffer
		if err := json.Compact(&line, raw); err != nil {
			return err
		}
		p.printf("%s\n", line.Bytes())
		return nil
	}
	var m storedMessage
	_ = json.Unmarshal(raw, &m) // what has another shape is shown as far as it goes
	to := make([]string, len(m.To))
	for i, other := range m.To {
		to[i] = other.String()
	}
	_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n", m.ID, m.CreationTime.UTC().Format(time.RFC3339), orDash(m.Direction), orDash(m.Status),
		m.From, orDash(strings.Join(to, ",")), len(m.files()), shorten(m.Subject))
	return err
}

// files returns the attachments that are more than the message's own text.
func (m storedMessage) files() []storedAttachment {
	return slices.DeleteFunc(slices.Clone(m.Attachments), func(a storedAttachment) bool { return a.Type == "Text" })
}

// shorten returns the beginning of a text, on one line and without what would steer a
// terminal: strangers wrote it.
func shorten(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	runes := []rune(oneLine(text))
	if len(runes) > shownText {
		return string(runes[:shownText-1]) + "…"
	}
	return string(runes)
}
