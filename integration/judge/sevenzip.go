package judge

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"burnfs/integration/harness"
	"burnfs/integration/manifest"
)

// SevenZip lists the session with `7z l -slt` and reads all files in one stream.
// Of a disc that has both, it shows the Joliet tree.
var SevenZip = Judge{
	Name:    "7z",
	Aspects: manifest.Size | manifest.Content | manifest.MtimeSeconds,
	Expect: func(want, got manifest.Tree) manifest.Tree {
		want = want.Select(func(name string, _ *manifest.Entry) bool { return name != "." })
		return jolietTree(want, got, func(name string) bool {
			return !strings.HasSuffix(name, ".") // 7z takes a final dot away
		})
	},
	Read: func(v View) manifest.Tree {
		v.Helper()
		file := v.Plain()
		// Behind an older session there are data that are not its own; 7z warns
		// of them with exit status 1 when it extracts.
		r := harness.Try(v, "7z", "l", "-slt", file)
		if r.Code > 1 {
			v.Fatalf("%v", r)
		}
		tree, files := parseListing(r.Stdout)
		v.readStream(file, tree, files)
		// Boot images are listed as files of a directory that no disc of these
		// tests has, and come in the stream.
		return tree.Select(func(name string, _ *manifest.Entry) bool { return !strings.HasPrefix(name, "[BOOT]/") })
	},
}

// parseListing returns the tree and its files in the order of the listing, which
// is that of the stream.
func parseListing(out string) (manifest.Tree, []string) {
	tree := make(manifest.Tree)
	var files []string
	_, rows, _ := strings.Cut(out, "\n----------\n")
	for row := range strings.SplitSeq(rows, "\n\n") {
		fields := make(map[string]string)
		for line := range strings.Lines(row) {
			if k, v, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " = "); ok && fields[k] == "" {
				fields[k] = v
			}
		}
		name := fields["Path"]
		if name == "" {
			continue
		}
		if tree[name] != nil {
			name = fmt.Sprintf("%s (%d)", name, len(files)) // both had a final dot, or one
		}
		e := &manifest.Entry{Kind: manifest.File, First: name}
		if fields["Folder"] == "+" {
			e.Kind = manifest.Dir
		} else {
			files = append(files, name)
		}
		e.Size, _ = strconv.ParseInt(fields["Size"], 10, 64) // directories have none
		e.Mtime, _ = time.Parse(time.DateTime, fields["Modified"])
		tree[name] = e
	}
	return tree, files
}

// readStream cuts what `7z x -so` yields into the files of the listing.
func (v View) readStream(file string, tree manifest.Tree, files []string) {
	v.Helper()
	cmd := exec.Command("7z", "x", "-so", file)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	pipe, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		v.Fatalf("7z (apt-get install p7zip-full): %v", err)
	}
	for _, name := range files {
		e := tree[name]
		n := &counter{r: io.LimitReader(pipe, e.Size)}
		if e.SHA256, err = manifest.Hash(n); err != nil || n.n != e.Size {
			v.Fatalf("7z yields %d of %d bytes of %q: %v", n.n, e.Size, name, err)
		}
	}
	rest, err := io.Copy(io.Discard, pipe)
	if err != nil || rest != 0 {
		v.Errorf("7z yields %d bytes more than it lists: %v", rest, err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1) {
		v.Errorf("7z reads %s with: %v\n%s", v.File, err, complaints.String())
	}
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
