package posix

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// childEnv turns the test binary into a child that makes system calls; its
// value is a task.
const childEnv = "BURNFS_POSIX_CHILD"

// task is what a child does.
type task struct {
	// Do is "scripts", or the name of a helper process or of a stress test.
	Do   string
	Root string // where
	// Step is which step of prepare is done, -1 for act.
	Step int
	// Only are the names of the scripts, nil for all.
	Only []string
	// Commits lets scripts stop where a commit may happen.
	Commits bool
	Args    []string
	// Patience is how long it may take at most, 0 for patience.
	Patience time.Duration
}

// event is what a child that runs scripts says, one line of JSON each.
type event struct {
	Script string `json:",omitempty"`
	Line   string `json:",omitempty"`
	Died   string `json:",omitempty"`
	Commit bool   `json:",omitempty"` // now is the time for one; goes on after a line on standard input
	Round  bool   `json:",omitempty"` // nothing is open; goes on after a line on standard input
	End    bool   `json:",omitempty"`
}

// patience ends a child that hangs. It is not there to time anything.
const patience = 10 * time.Minute

// command is a child that will do a task.
func (t task) command(ctx context.Context) *exec.Cmd {
	spec, err := json.Marshal(t)
	if err != nil {
		panic(err) // strings and numbers
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", "-test.run=^$")
	cmd.Env = append(os.Environ(), childEnv+"="+string(spec))
	// Pipes that an orphan keeps open are not waited for.
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// child is main of a child.
func child(spec string) int {
	var t task
	if err := json.Unmarshal([]byte(spec), &t); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	unix.Umask(0)
	var err error
	if do, ok := tasks()[t.Do]; ok {
		err = do(t)
	} else {
		err = fmt.Errorf("there is no task %q", t.Do)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", t.Do, err)
		return 1
	}
	return 0
}

// tasks are what children can do.
func tasks() map[string]func(task) error {
	return map[string]func(task) error{
		"scripts":   runScripts,
		"lock":      lockTask,
		"append":    appendTask,
		"map":       mapTask,
		"fsx":       fsxTask,
		"namespace": namespaceTask,
		"readdir":   readdirTask,
	}
}

// routine is a script that is running.
type routine struct {
	script script
	place  *place
	resume chan struct{}
	yield  chan bool // true at its end
}

// runScripts runs the scripts one after the other. With commits, it runs each of
// them up to its next stop, asks for the commit, and goes on.
func runScripts(t task) error {
	out := json.NewEncoder(os.Stdout)
	var active []*routine
	for _, s := range scripts() {
		do := s.act
		if t.Step >= 0 {
			do = nil
			if t.Step < len(s.prepare) {
				do = s.prepare[t.Step]
			}
		}
		if do == nil || t.Only != nil && !slices.Contains(t.Only, s.name) {
			continue
		}
		r := &routine{script: s, resume: make(chan struct{}), yield: make(chan bool)}
		r.place = newPlace(filepath.Join(t.Root, s.name))
		r.place.say = func(line string) { _ = out.Encode(event{Script: s.name, Line: line}) } // a broken pipe ends us
		r.place.commit = func() {}
		if t.Commits {
			r.place.commit = func() { r.yield <- false; <-r.resume }
		}
		if err := os.MkdirAll(r.place.root, 0o755); err != nil {
			return err
		}
		active = append(active, r)
		go r.run(do, func(why string) { _ = out.Encode(event{Script: s.name, Died: why}) })
	}
	in := bufio.NewReader(os.Stdin)
	for len(active) > 0 {
		var next []*routine
		for _, r := range active {
			r.resume <- struct{}{}
			if !<-r.yield {
				next = append(next, r)
			}
		}
		if active = next; len(active) > 0 {
			if err := out.Encode(event{Commit: true}); err != nil {
				return err
			}
			if _, err := in.ReadString('\n'); err != nil {
				return err
			}
		}
	}
	return out.Encode(event{End: true})
}

func (r *routine) run(do func(*place), died func(string)) {
	<-r.resume
	// A fault in a mapping beyond the end of its file is part of some tests.
	debug.SetPanicOnFault(true)
	defer func() {
		if v := recover(); v != nil {
			died(fmt.Sprintf("%v\n%s", v, debug.Stack()))
		}
		r.place.closeAll()
		r.yield <- true
	}()
	do(r.place)
}

// transcripts are what the scripts said, by name.
type transcripts map[string][]string

// runOn runs the scripts in a child and returns what they said. commit is called
// wherever they let it.
func runOn(tb testing.TB, t task, into transcripts, commit func()) {
	tb.Helper()
	t.Do, t.Commits = "scripts", commit != nil
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := t.command(ctx)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	var last event
	ended := false
	for d := json.NewDecoder(out); ; {
		var e event
		if err := d.Decode(&e); err != nil {
			break
		}
		switch {
		case e.Commit:
			commit()
			if _, err := io.WriteString(in, "go on\n"); err != nil {
				tb.Error(err)
			}
		case e.End:
			ended = true
		case e.Died != "":
			tb.Errorf("%s died: %s", e.Script, e.Died)
		default:
			into[e.Script] = append(into[e.Script], e.Line)
		}
		if e.Script != "" {
			last = e
		}
	}
	if err := cmd.Wait(); err != nil || !ended {
		tb.Fatalf("the child on %s ended early, after %s said %q: %v\n%s", t.Root, last.Script, last.Line, err, stderr.Bytes())
	}
}

// runTask runs a child to its end and returns what it printed.
func runTask(t task) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), cmp.Or(t.Patience, patience))
	defer cancel()
	cmd := t.command(ctx)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s: %w\n%s%s", t.Do, err, stdout.Bytes(), stderr.Bytes())
	}
	return stdout.String(), nil
}
