package letters_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ringbridge/ringbridge/internal/letters"
)

// However letters are marked, and however often the memory is written and read
// back in between, it holds what was marked and nothing else.
func TestTheMemory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		memory, other := &letters.Stretches{}, &letters.Stretches{}
		marked := map[int64]bool{}
		for range rapid.IntRange(0, 40).Draw(t, "marks") {
			first := rapid.Int64Range(0, 60).Draw(t, "first")
			end := first + rapid.Int64Range(1, 4).Draw(t, "length")
			if rapid.Bool().Draw(t, "by another") {
				memory, other = other, memory
			}
			memory.Add(first, end)
			for offset := first; offset < end; offset++ {
				marked[offset] = true
			}
			var err error
			memory, err = memory.Reloaded()
			require.NoError(t, err)
		}
		memory = memory.Merged(other)
		for offset := range int64(70) {
			require.Equal(t, marked[offset], memory.Contains(offset), "offset %d", offset)
		}
		for offset := range memory.Base() {
			require.True(t, marked[offset])
		}
		require.False(t, marked[memory.Base()], "the base is the first that is not marked")
	})
}

// One letter in four of 9,000, as a filter by reason leaves them.
func TestTheMemoryHoldsScatteredLetters(t *testing.T) {
	memory := &letters.Stretches{}
	marked := map[int64]bool{}
	random := rand.New(rand.NewPCG(1, 2))
	for offset := range int64(9_000) {
		if random.IntN(4) == 0 {
			memory.Add(offset, offset+1)
			marked[offset] = true
		}
	}
	memory, err := memory.Reloaded()
	require.NoError(t, err)
	for offset := range int64(9_001) {
		if marked[offset] != memory.Contains(offset) {
			require.Fail(t, "wrong", "offset %d", offset)
		}
	}
}

func TestTheMemoryHasAnEnd(t *testing.T) {
	memory := &letters.Stretches{}
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		first := random.Int64N(1 << 50)
		memory.Add(first, first+1)
	}
	_, err := memory.Reloaded()
	require.ErrorIs(t, err, letters.ErrScattered)
}
