//go:build !failpoints

package kafka

import "github.com/twmb/franz-go/pkg/kgo"

func muteOptions() []kgo.Opt { return nil }
