package commit

import (
	"bufio"
	"os"
	"path/filepath"
)

// A tailKeeper keeps what follows the content of the files while it is burned.
// That this fails is of no account.
type tailKeeper struct {
	file *os.File
	w    *bufio.Writer
	err  error
}

func keepTail(where string) *tailKeeper {
	k := new(tailKeeper)
	if k.file, k.err = os.OpenFile(filepath.Join(where, tailName), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600); k.err == nil {
		k.w = bufio.NewWriterSize(k.file, 1<<16)
	}
	return k
}

// Write takes p and never fails.
func (k *tailKeeper) Write(p []byte) (int, error) {
	if k.err == nil {
		_, k.err = k.w.Write(p)
	}
	return len(p), nil
}

// close tells whether all of it was kept. It need not be durable: only this process
// reads it.
func (k *tailKeeper) close() bool {
	if k.file == nil {
		return false
	}
	if k.err == nil {
		k.err = k.w.Flush()
	}
	if err := k.file.Close(); k.err == nil {
		k.err = err
	}
	return k.err == nil
}
