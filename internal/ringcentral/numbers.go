package ringcentral

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// PhoneNumber is a number of the user.
type PhoneNumber struct {
	ID          json.Number `json:"id"`
	PhoneNumber string      `json:"phoneNumber"`
	UsageType   string      `json:"usageType"` // for example DirectNumber, MainCompanyNumber
	Type        string      `json:"type"`      // for example VoiceFax, FaxOnly
	PaymentType string      `json:"paymentType"`
	Location    string      `json:"location"`
	Status      string      `json:"status"`
	// Features are the API's words, for example SmsSender, MmsSender, InternationalSmsSender, A2PSmsSender.
	Features []string `json:"features"`
}

// SendsSMS reports whether texts can be sent from the number.
func (n PhoneNumber) SendsSMS() bool { return slices.Contains(n.Features, "SmsSender") }

// SendsMMS reports whether attachments can.
func (n PhoneNumber) SendsMMS() bool { return slices.Contains(n.Features, "MmsSender") }

// maxNumberPages bounds the walk: a user has some numbers, a company some thousands.
const maxNumberPages = 100

// PhoneNumbers lists all numbers of the user, page by page.
func (p *Platform) PhoneNumbers(ctx context.Context) ([]PhoneNumber, error) {
	var numbers []PhoneNumber
	query := url.Values{"perPage": {"100"}}
	for n := 1; n <= maxNumberPages; n++ {
		var page MessagePage
		query.Set("page", strconv.Itoa(n))
		err := p.c.do(ctx, call{
			op: opNumbers, method: http.MethodGet, path: extensionPath + "/phone-number", query: query, priority: Poll,
			read: func(body []byte) error {
				if err := readMessagePage(&page, query)(body); err != nil {
					return err
				}
				for _, record := range page.Records {
					var number PhoneNumber
					if json.Unmarshal(record, &number) != nil {
						return errNotPage
					}
					numbers = append(numbers, number)
				}
				return nil
			},
		})
		if err != nil {
			return nil, err
		}
		if page.Next == "" {
			break
		}
	}
	return numbers, nil
}
