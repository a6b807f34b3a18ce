package soak

import (
	"bufio"
	"fmt"
	"os"
	"sync"
	"time"
)

// Journal has the operations since the base in one order, in which each of them
// comes behind all that it depends on. All operations ever are in a file.
type Journal struct {
	mu    sync.Mutex
	ops   []Op
	order int
	file  *os.File
	log   *bufio.Writer
}

func newJournal(name string) (*Journal, error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	return &Journal{file: f, log: bufio.NewWriterSize(f, 1<<16)}, nil
}

// begin notes an operation that is about to happen.
func (j *Journal) begin(o *Op) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.order++
	o.Order = j.order
	j.ops = append(j.ops, *o)
	fmt.Fprintln(j.log, o)
}

// end notes what came of it.
func (j *Journal) end(o *Op, result string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	fmt.Fprintf(j.log, "%d = %.80q\n", o.Order, result)
}

// note puts a remark into the file.
func (j *Journal) note(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	fmt.Fprintf(j.log, "%s -- %s\n", time.Now().UTC().Format("15:04:05.000"), fmt.Sprintf(format, args...))
	// The file is for people who look for what went wrong.
	_ = j.log.Flush()
}

// rebase forgets the operations that are in the base now.
func (j *Journal) rebase() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ops = nil
}

func (j *Journal) count() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.order
}

func (j *Journal) close() error {
	j.note("end")
	return j.file.Close()
}
