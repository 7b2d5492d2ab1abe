package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ringbridge/ringbridge/internal/ringcentral"
)

// maxAttachment bounds a download. Files of messages have 1.5 MB at most; what a fax
// or a voice mail brings is larger.
const maxAttachment = 64 << 20

type attachmentFlags struct {
	output string
	force  bool
}

func (p *program) messagesAttachmentCommand() *cobra.Command {
	var f attachmentFlags
	c := &cobra.Command{
		Use:   "attachment MESSAGE_ID [ATTACHMENT_ID]",
		Short: "Download an attachment",
		Long: `Downloads an attachment of a message into a file of its own name in the current
directory, or where --output says. A file that is there is not overwritten.
ATTACHMENT_ID may be left out where the message has one attachment; the error lists
them otherwise. The access token goes to RingCentral and to no other host.`,
		Example: `  ringbridge messages attachment 403038404004
  ringbridge messages attachment 403038404004 403038404008 --output photo.jpg
  ringbridge messages attachment 403038404004 --output - | file -`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			return p.messagesAttachment(c.Context(), args[0], strings.Join(args[1:], ""), f)
		},
	}
	c.Flags().StringVarP(&f.output, "output", "o", "", "file to write; - = standard output")
	c.Flags().BoolVar(&f.force, "force", false, "overwrite a file that is there")
	return c
}

func (p *program) messagesAttachment(ctx context.Context, message, attachment string, f attachmentFlags) error {
	return p.withPlatform(ctx, func(platform *ringcentral.Platform) error {
		raw, err := platform.Message(ctx, message)
		if err != nil {
			return err
		}
		var m storedMessage
		if err := json.Unmarshal(raw, &m); err != nil {
			return fmt.Errorf("messages: the message %s cannot be read: %w", message, err)
		}
		chosen, err := m.attachment(attachment)
		if err != nil {
			return err
		}
		if f.output == "-" {
			_, err := platform.Attachment(ctx, chosen.URI, p.out, maxAttachment)
			return err
		}
		path := f.output
		if path == "" {
			path = chosen.name()
		}
		got, err := download(ctx, platform, chosen.URI, path, f.force)
		if err != nil {
			return err
		}
		p.printf("%s: %d bytes, %s\n", path, got.Size, orDash(got.ContentType))
		return nil
	})
}

// attachment finds the one that is meant.
func (m storedMessage) attachment(id string) (storedAttachment, error) {
	files := m.files()
	var known []string
	for _, a := range m.Attachments {
		if id != "" && a.ID.String() == id {
			return a, nil
		}
		known = append(known, fmt.Sprintf("%s (%s)", a.ID, orDash(a.ContentType)))
	}
	if id == "" && len(files) == 1 {
		return files[0], nil
	}
	if len(known) == 0 {
		return storedAttachment{}, fmt.Errorf("messages: the message %s has no attachments", m.ID)
	}
	return storedAttachment{}, fmt.Errorf("messages: say which attachment of the message %s: %s", m.ID, strings.Join(known, ", "))
}

// name is the file's own, without what would lead out of the directory: strangers
// chose it.
func (a storedAttachment) name() string {
	name := filepath.Base(filepath.Clean("/" + strings.ReplaceAll(a.FileName, `\`, "/")))
	name = strings.TrimLeft(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '/' {
			return -1
		}
		return r
	}, name), ".-")
	if name == "" {
		return "attachment-" + a.ID.String()
	}
	return name
}

// download writes to a file beside the one that is meant, which gets its name only
// when it is whole.
func download(ctx context.Context, platform *ringcentral.Platform, uri, path string, force bool) (got ringcentral.Attachment, err error) {
	if _, err := os.Lstat(path); !force && !errors.Is(err, fs.ErrNotExist) {
		return got, fmt.Errorf("messages: %s is there already: --force overwrites it, --output takes another name", path)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".ringbridge-*")
	if err != nil {
		return got, fmt.Errorf("messages: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	got, err = platform.Attachment(ctx, uri, io.Writer(file), maxAttachment)
	if err = errors.Join(err, file.Close()); err != nil {
		return got, err
	}
	return got, os.Rename(file.Name(), path)
}
