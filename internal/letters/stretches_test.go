package letters_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ringbridge/ringbridge/internal/letters"
)

// However letters are marked, and however often the memory is written and read
// back in between, it holds what was marked and nothing else.
func TestTheMemory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		memory := &letters.Stretches{}
		marked := map[int64]bool{}
		for range rapid.IntRange(0, 40).Draw(t, "marks") {
			first := rapid.Int64Range(0, 60).Draw(t, "first")
			end := first + rapid.Int64Range(1, 4).Draw(t, "length")
			memory.Add(first, end)
			for offset := first; offset < end; offset++ {
				marked[offset] = true
			}
			var err error
			memory, err = memory.Reloaded()
			require.NoError(t, err)
		}
		for offset := range int64(70) {
			require.Equal(t, marked[offset], memory.Contains(offset), "offset %d", offset)
		}
		for offset := range memory.Base() {
			require.True(t, marked[offset])
		}
		require.False(t, marked[memory.Base()], "the base is the first that is not marked")
	})
}

func TestTheMemoryHasAnEnd(t *testing.T) {
	memory := &letters.Stretches{}
	for i := range int64(1500) {
		memory.Add(2*i+1, 2*i+2)
	}
	_, err := memory.Reloaded()
	require.NoError(t, err, "1,500 letters apart from each other fit")
	for i := int64(1500); i < 2000; i++ {
		memory.Add(2*i+1, 2*i+2)
	}
	_, err = memory.Reloaded()
	require.ErrorContains(t, err, "too scattered")
}
