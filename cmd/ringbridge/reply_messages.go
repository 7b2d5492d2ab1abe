package main

import (
	"fmt"
	"mime"
	"net/http"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ringbridge/ringbridge/schemas"
)

// messageFlags describe what is done with text messages.
type messageFlags struct {
	from    string
	attach  []string
	update  string
	status  string
	restore bool
	remove  string
	purge   bool
}

func (f *messageFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.from, "from", "", "the number to text from; with --to and --body")
	flags.StringSliceVar(&f.attach, "attach", nil, "files to send with the text")
	flags.StringVar(&f.update, "update-message", "", "the message to change; with --read-status or --restore")
	flags.StringVar(&f.status, "read-status", "", "read or unread")
	flags.BoolVar(&f.restore, "restore", false, "take a deleted message back")
	flags.StringVar(&f.remove, "delete-message", "", "the message to delete")
	flags.BoolVar(&f.purge, "purge", false, "delete it for good")
}

// textAction is a text message, which the flags of a content give recipients
// and body.
func (f *replyFlags) textAction() (any, error) {
	if len(f.content.To) == 0 {
		return nil, usageError("--to: is empty; want the numbers to text to")
	}
	if f.content.Body == "" && len(f.message.attach) == 0 {
		return nil, usageError("--body: is empty; want a text, or --attach")
	}
	action := &schemas.SendSMS{From: f.message.from, To: f.content.To, Text: f.content.Body, Attachments: []schemas.Upload{}}
	for _, path := range f.message.attach {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reply: --attach: %w", err)
		}
		action.Attachments = append(action.Attachments, schemas.Upload{Filename: filepath.Base(path), ContentType: typeOf(path, content), Content: content})
	}
	return action, nil
}

// typeOf tells a file's type by its name, else by what is in it.
func typeOf(path string, content []byte) string {
	if byName := mime.TypeByExtension(filepath.Ext(path)); byName != "" {
		return byName
	}
	return http.DetectContentType(content)
}

func (f *replyFlags) updateAction() (any, error) {
	action := &schemas.UpdateMessage{MessageID: f.message.update, Restore: f.message.restore}
	statuses := map[string]schemas.ReadStatus{"read": schemas.ReadStatusRead, "unread": schemas.ReadStatusUnread}
	status, known := statuses[f.message.status]
	switch {
	case known:
		action.ReadStatus = &status
	case f.message.status != "":
		return nil, usageError("--read-status %q: want read or unread", f.message.status)
	case !f.message.restore:
		return nil, usageError("--update-message: say what to change: --read-status or --restore")
	}
	return action, nil
}

func (f *replyFlags) deleteAction() (any, error) {
	return &schemas.DeleteMessage{MessageID: f.message.remove, Purge: f.message.purge}, nil
}
