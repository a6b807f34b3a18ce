// Package confirm asks a user before something that cannot be undone.
//
// Only a person at a terminal can be asked; a script has to say --yes. The answer
// must be the word yes, so that a habit or a stray key is none.
package confirm

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Errors for errors.Is.
var (
	// ErrNobody: there is no terminal to ask at.
	ErrNobody = errors.New("standard input is not a terminal, so nobody can be asked")
	// ErrDeclined: the answer was not yes.
	ErrDeclined = errors.New("the answer was not yes")
)

// Ask shows what would happen and waits for the answer. nil means yes.
func Ask(in io.Reader, out io.Writer, what string) error {
	f, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return ErrNobody
	}
	fmt.Fprintf(out, "%s\nType yes to go on: ", what)
	// Nobody types longer answers; what a paste leaves behind is the shell's.
	line, err := bufio.NewReader(io.LimitReader(f, 1024)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if errors.Is(err, io.EOF) {
		fmt.Fprintln(out)
	}
	if strings.TrimSpace(line) != "yes" {
		return ErrDeclined
	}
	return nil
}
