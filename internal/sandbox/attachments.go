package sandbox

import (
	"cmp"
	"io"
	"net/http"
	"time"
)

// Attachment is a file of a content.
type Attachment struct {
	ID            string    `json:"id"`
	CreatedAt     time.Time `json:"created_at"`
	UpdatedAt     time.Time `json:"updated_at"`
	ContentType   string    `json:"content_type"`
	Filename      string    `json:"filename"`
	Size          int       `json:"size"`
	ForeignID     Optional  `json:"foreign_id"`
	URL           string    `json:"url"`
	Embed         bool      `json:"embed"`
	Public        bool      `json:"public?"` // so it is spelled
	VideoMetadata []string  `json:"video_metadata"`
}

// upload is an attachment with its bytes.
type upload struct {
	Attachment
	bytes []byte
}

// createAttachment is POST /1.0/attachments: multipart with a part named file.
func (s *Server) createAttachment(c *call) reply {
	if c.r.MultipartForm == nil || len(c.r.MultipartForm.File["file"]) == 0 {
		return invalid(violation{"file", "can't be blank"})
	}
	head := c.r.MultipartForm.File["file"][0]
	file, err := head.Open()
	if err != nil {
		return plainFailure(http.StatusInternalServerError)
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		return plainFailure(http.StatusInternalServerError)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	made := s.keep(Attachment{Filename: head.Filename, ContentType: head.Header.Get("Content-Type")}, data,
		"http://"+c.r.Host)
	return ok(made)
}

// keep stores an attachment under a new id. The bytes are served at base + /attachments/{id}.
func (s *Server) keep(a Attachment, data []byte, base string) Attachment {
	now := seconds(s.now())
	a.ID, a.CreatedAt, a.UpdatedAt = cmp.Or(a.ID, s.ids.next()), now, now
	a.ContentType = cmp.Or(a.ContentType, "application/octet-stream")
	a.Filename = cmp.Or(a.Filename, "file")
	if data != nil {
		a.Size = len(data)
	}
	a.URL = cmp.Or(a.URL, base+"/attachments/"+a.ID)
	a.VideoMetadata = []string{}
	s.state.attachments[a.ID] = &upload{Attachment: a, bytes: data}
	return a
}

func (s *Server) getAttachment(c *call) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.state.attachments[c.r.PathValue("id")]
	if a == nil {
		return notFound("Attachment")
	}
	return ok(a.Attachment)
}

func (s *Server) downloadAttachment(c *call) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.state.attachments[c.r.PathValue("id")]
	if a == nil {
		return notFound("Attachment")
	}
	raw := a.bytes
	if raw == nil {
		raw = make([]byte, a.Size) // imported without bytes: as many zeros as it says
	}
	return reply{status: http.StatusOK, raw: raw, header: http.Header{"Content-Type": {a.ContentType}}}
}
