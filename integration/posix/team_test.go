package posix

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"burnfs/integration/harness"
)

// asker is the child's side of a team: it asks for commits and announces the end
// of rounds.
type asker struct {
	out *json.Encoder
	in  *bufio.Reader
}

func newAsker() *asker {
	return &asker{out: json.NewEncoder(os.Stdout), in: bufio.NewReader(os.Stdin)}
}

func (a *asker) ask(e event) error {
	if err := a.out.Encode(e); err != nil {
		return err
	}
	_, err := a.in.ReadString('\n')
	return err
}

// commit returns when one has been made, while the others of the team went on.
func (a *asker) commit() error { return a.ask(event{Commit: true}) }

// round returns when all of the team were here. Nothing may be open.
func (a *asker) round() error { return a.ask(event{Round: true}) }

// said is what a child of a team asks for.
type said struct {
	event
	answer io.Writer
	err    error // it ended, with an error or not
	ended  bool
}

// runTeam runs children at once. commit is called for each that asks for one, and
// round whenever all that still run are at the end of a round.
func runTeam(l *harness.Lab, tasks []task, commit, round func()) {
	l.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	events := make(chan said)
	for _, t := range tasks {
		go func() {
			err := runMember(ctx, t, events)
			events <- said{err: err, ended: true}
		}()
	}
	var waiting []io.Writer
	for running := len(tasks); running > 0; {
		e := <-events
		switch {
		case e.ended:
			running--
			if e.err != nil {
				l.Errorf("%v", e.err)
			}
		case e.Commit:
			commit()
			goOn(l, e.answer)
		case e.Round:
			waiting = append(waiting, e.answer)
		}
		if l.Failed() {
			cancel() // the others would wait in vain
		} else if running > 0 && len(waiting) == running {
			round()
			for _, w := range waiting {
				goOn(l, w)
			}
			waiting = nil
		}
	}
	if l.Failed() {
		l.FailNow()
	}
}

func goOn(l *harness.Lab, w io.Writer) {
	if _, err := io.WriteString(w, "go on\n"); err != nil {
		l.Logf("a child does not listen any more: %v", err) // and why, it will say
	}
}

// runMember runs one child and passes on what it asks for.
func runMember(ctx context.Context, t task, events chan<- said) error {
	cmd := t.command(ctx)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	d := json.NewDecoder(out)
	for {
		var e event
		if err = d.Decode(&e); err != nil {
			break
		}
		events <- said{event: e, answer: in}
	}
	if werr := cmd.Wait(); werr != nil || !errors.Is(err, io.EOF) {
		if ctx.Err() != nil && stderr.Len() == 0 {
			return nil // ended for another's sake
		}
		return fmt.Errorf("%s %v: %w\n%s", t.Do, t.Args, errors.Join(werr, err), stderr.Bytes())
	}
	return nil
}
