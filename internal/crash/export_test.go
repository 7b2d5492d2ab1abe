package crash

import (
	"fmt"
	"math/rand/v2"

	"github.com/ringbridge/ringbridge/internal/sandbox"
)

// CutPower cuts the power of a disk.
func CutPower(dir, durable string, random *rand.Rand) (lost int64, err error) {
	return disk{dir: dir, durable: durable}.cut(random)
}

// BeOdd has an account deviate in each way there is, one after another, and heals it.
func BeOdd(box *sandbox.Server, seed uint64, after func(name string)) error {
	r := &round{bed: &bed{box: box}}
	for _, o := range oddities() {
		if err := o.on(r, rand.New(rand.NewPCG(seed, 0))); err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
		after(o.name)
		r.heal()
	}
	return nil
}
