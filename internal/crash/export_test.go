package crash

import "math/rand/v2"

// CutPower cuts the power of a disk.
func CutPower(dir, durable string, random *rand.Rand) (lost int64, err error) {
	return disk{dir: dir, durable: durable}.cut(random)
}
