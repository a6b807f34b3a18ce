package manual_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"burnfs/cmd/burnfs/internal/cli"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/manual"
	"burnfs/cmd/burnfs/internal/mountopt"
)

func commands() map[string]*cobra.Command {
	m := make(map[string]*cobra.Command)
	for _, c := range cli.Command().Commands() {
		m[c.Name()] = c
	}
	return m
}

// subcommands are those of a command, by the words behind burnfs.
func subcommands(all map[string]*cobra.Command) map[string]*cobra.Command {
	m := make(map[string]*cobra.Command)
	for name, c := range all {
		for _, sub := range c.Commands() {
			m[name+" "+sub.Name()] = sub
		}
	}
	return m
}

// The pages in the repository are those of this program.
func TestPagesAreCurrent(t *testing.T) {
	pages, err := manual.Pages(cli.Command())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join("..", "..", "man")
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, ok := pages[f.Name()]; !ok {
			t.Errorf("%s describes no command; run go run ./cmd/burnfs/internal/genman", f.Name())
		}
	}
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(got) != string(want) {
			t.Errorf("%s is out of date (%v); run go run ./cmd/burnfs/internal/genman", name, err)
		}
	}
}

// plain is a page without roff's escapes.
func plain(page []byte) string {
	return strings.NewReplacer(`\-`, "-", `\fB`, "", `\fP`, "", `\fR`, "", `\fI`, "", `\&`, "", `\[rs]`, `\`).Replace(string(page))
}

// Every command, flag, option and exit code is in the manual.
func TestPagesAreComplete(t *testing.T) {
	pages, err := manual.Pages(cli.Command())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range subcommands(commands()) {
		page := plain(pages["burnfs-"+strings.ReplaceAll(name, " ", "-")+".1"])
		if page == "" {
			t.Errorf("%s has no page", name)
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(page, "--"+f.Name) {
				t.Errorf("the page of %s lacks --%s", name, f.Name)
			}
		})
	}
	for name, c := range commands() {
		page := plain(pages["burnfs-"+name+".1"])
		if page == "" {
			t.Errorf("%s has no page", name)
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(page, "--"+f.Name) {
				t.Errorf("the page of %s lacks --%s", name, f.Name)
			}
		})
		if !strings.Contains(plain(pages["burnfs.1"]), "burnfs-"+name+"(1)") {
			t.Errorf("burnfs.1 does not point to %s", name)
		}
	}
	for _, r := range exitcode.Table() {
		if !strings.Contains(plain(pages["burnfs.1"]), r.Meaning) {
			t.Errorf("burnfs.1 lacks exit status %d", r.Code)
		}
	}
	for _, o := range mountopt.Own() {
		if !strings.Contains(plain(pages["burnfs-mount.1"]), o.Text) {
			t.Errorf("burnfs-mount.1 lacks -o %s", o.Name)
		}
	}
	for _, name := range []string{"mount.burnfs.8", "umount.fuse.burnfs.8"} {
		if len(pages[name]) == 0 {
			t.Errorf("no page %s", name)
		}
	}
}

// The commands that the issue names, so that none is lost by accident.
func TestCommands(t *testing.T) {
	var got []string
	for name := range commands() {
		got = append(got, name)
	}
	slices.Sort(got)
	want := []string{"blank", "burn", "check", "close", "create", "discard", "doctor", "drives", "eject", "finalize", "format", "fsck-staging", "image", "info", "mount", "msinfo", "plan", "sessions", "staging", "status", "sync", "umount", "verify", "version"}
	if !slices.Equal(got, want) {
		t.Errorf("commands %q, want %q", got, want)
	}
}

var (
	codeBlock = regexp.MustCompile("(?ms)^ *```.*?^ *```|`[^`\n]+`") // fenced, or in a line
	// At the beginning of a line, of a pipe's part, or of a substitution.
	call = regexp.MustCompile("(?m)(?:^[ \t`]*(?:[$#] )?(?:sudo )?|[|] |[$][(])burnfs[ \t]+([^\n|;&`)]*)")
	flag = regexp.MustCompile(`^--?[A-Za-z][\w-]*`)
)

// What documents of the repository show as a command line is one.
func TestDocumentsAgree(t *testing.T) {
	all := commands()
	root := filepath.Join("..", "..", "..", "..")
	docs, err := filepath.Glob(filepath.Join(root, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := make(map[string]bool)
	for _, doc := range docs {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range codeBlock.FindAllString(string(text), -1) {
			for _, m := range call.FindAllStringSubmatch(block, -1) {
				words := strings.Fields(m[1])
				if len(words) == 0 || !regexp.MustCompile(`^[a-z-]+$`).MatchString(words[0]) || strings.HasPrefix(words[0], "-") {
					continue
				}
				c, ok := all[words[0]]
				if !ok && words[0] != "help" && words[0] != "completion" {
					t.Errorf("%s: there is no command %q in %q", filepath.Base(doc), words[0], m[0])
					continue
				}
				named[words[0]] = true
				if len(words) > 1 && c != nil && c.HasSubCommands() {
					sub := subcommands(all)[words[0]+" "+words[1]]
					if sub == nil {
						t.Errorf("%s: there is no command %q in %q", filepath.Base(doc), strings.Join(words[:2], " "), m[0])
						continue
					}
					c = sub
					named[words[0]+" "+words[1]] = true
				}
				for _, w := range words[1:] {
					name := flag.FindString(strings.Trim(w, "[]"))
					if c == nil || name == "" || known(c, name) {
						continue
					}
					t.Errorf("%s: %q has no flag %s", filepath.Base(doc), "burnfs "+words[0], name)
				}
			}
		}
	}
	for _, doc := range docs {
		if filepath.Base(doc) != "README.md" {
			continue
		}
		for name := range subcommands(all) {
			if !named[name] {
				t.Errorf("README.md does not show burnfs %s", name)
			}
		}
		for name := range all {
			if name != "version" && !named[name] {
				t.Errorf("README.md does not show burnfs %s", name)
			}
		}
	}
}

func known(c *cobra.Command, name string) bool {
	if long, ok := strings.CutPrefix(name, "--"); ok {
		return c.Flags().Lookup(long) != nil || c.InheritedFlags().Lookup(long) != nil || long == "help"
	}
	if c.Name() == "image" && name == "-graft-points" {
		return true
	}
	for _, letter := range strings.TrimPrefix(name, "-") {
		if c.Flags().ShorthandLookup(string(letter)) == nil && c.InheritedFlags().ShorthandLookup(string(letter)) == nil && letter != 'h' {
			return false
		}
	}
	return true
}
