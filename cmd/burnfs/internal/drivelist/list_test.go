package drivelist

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"burnfs/cmd/burnfs/internal/mountpoint"
	"burnfs/mmc"
	"burnfs/mmc/emu"
	"burnfs/mmc/sgio"
)

func TestDescribe(t *testing.T) {
	disc := filepath.Join(t.TempDir(), "disc")
	if err := emu.Create(disc, emu.BDR, emu.CreateOptions{Blocks: 4096}); err != nil {
		t.Fatal(err)
	}
	asked := 0
	emulated := func(ejected bool) (*mmc.Drive, error) {
		tr, err := emu.Open(disc, emu.Options{})
		if err != nil {
			return nil, err
		}
		d := mmc.NewDrive(counting{tr, &asked}, nil)
		if ejected {
			if err := d.WaitReady(t.Context(), "test", patience); err != nil {
				return nil, err
			}
			if err := d.StartStopUnit(t.Context(), false, mmc.Eject); err != nil {
				return nil, err
			}
		}
		asked = 0
		return d, nil
	}
	a := Asker{
		Open: func(path string) (*mmc.Drive, error) {
			switch path {
			case "/dev/sr0":
				return emulated(false)
			case "/dev/sr1":
				return emulated(true)
			case "/dev/sr3":
				return nil, &sgio.BusyError{Path: path, Holders: []sgio.Holder{{PID: 12, Command: "wodim"}}, Err: syscall.EBUSY}
			case "/dev/sr4":
				return nil, &sgio.BusyError{Path: path, Err: syscall.EBUSY}
			}
			return nil, errors.New("no luck")
		},
		Mounts: func(path string) ([]mountpoint.Mount, error) {
			if path == "/dev/sr2" {
				return []mountpoint.Mount{{Point: "/mnt"}}, nil
			}
			return nil, nil
		},
	}
	devices := []sgio.Device{{Block: "/dev/sr0", Generic: "/dev/sg1", Vendor: "V", Model: "M", Revision: "R"}}
	for _, b := range []string{"/dev/sr1", "/dev/sr2", "/dev/sr3", "/dev/sr4"} {
		devices = append(devices, sgio.Device{Block: b})
	}
	devices = append(devices, sgio.Device{Generic: "/dev/sg9"})
	want := []Drive{
		{Node: "/dev/sr0", Generic: "/dev/sg1", Vendor: "V", Model: "M", Revision: "R", State: Loaded, Medium: "BD-R"},
		{Node: "/dev/sr1", State: Empty},
		{Node: "/dev/sr2", State: Mounted, On: "/mnt"},
		{Node: "/dev/sr3", State: InUse},
		{Node: "/dev/sr4", State: InUse},
		{Node: "/dev/sg9", State: Unknown, Problem: "no luck"},
	}
	got := a.Describe(t.Context(), devices)
	if !strings.Contains(got[3].Problem, "wodim") {
		t.Errorf("who uses it: %q", got[3].Problem)
	}
	got[3].Problem = ""
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if asked == 0 || asked > 2 {
		t.Errorf("the drive got %d commands; once for the length and once for the answer is enough", asked)
	}
	if list := a.Describe(t.Context(), nil); list == nil || len(list) != 0 {
		t.Errorf("no drives: %v, which is not [] in JSON", list)
	}
}

// counting counts commands.
type counting struct {
	mmc.Transport
	n *int
}

func (c counting) Execute(ctx context.Context, cmd *mmc.Command) error {
	*c.n++
	return c.Transport.Execute(ctx, cmd)
}

func TestFieldsAreDocumented(t *testing.T) {
	var documented []string
	for _, f := range Fields() {
		documented = append(documented, strings.Split(f.Name, ", ")...)
	}
	typ := reflect.TypeFor[Drive]()
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		if !slices.Contains(documented, name) {
			t.Errorf("%s is not documented", name)
		}
	}
	if len(documented) != typ.NumField() {
		t.Errorf("%d fields are documented and %d printed", len(documented), typ.NumField())
	}
}
