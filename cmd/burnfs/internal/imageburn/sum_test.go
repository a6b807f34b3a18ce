package imageburn

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"burnfs/iso9660"
)

// TestBlockSum: however blocks arrive, the sum is that of all but the zeros at the end.
func TestBlockSum(t *testing.T) {
	one := bytes.Repeat([]byte{1}, iso9660.BlockSize)
	for _, blocks := range []string{"", "0", "1", "10", "01", "1010011000", "0001", "1111", "0000"} {
		var all []byte
		end, zeros := 0, 0
		for _, b := range blocks {
			if b == '1' {
				all, zeros = append(all, one...), 0
				end = len(all)
				continue
			}
			all = append(all, zeroBlock[:]...)
			zeros++
		}
		for _, step := range []int{1, 2, 3, 100} {
			s := blockSum{Hash: sha256.New()}
			for p := all; len(p) > 0; {
				n := min(step*iso9660.BlockSize, len(p))
				<-s.alongside(p[:n])
				p = p[n:]
			}
			if want := sha256.Sum256(all[:end]); !bytes.Equal(s.Sum(nil), want[:]) || int(s.zeros) != zeros {
				t.Errorf("%q, %d at a time: another sum, or %d zeros instead of %d", blocks, step, s.zeros, zeros)
			}
		}
	}
}
