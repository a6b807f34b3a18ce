// Package drivelist says what `burnfs drives` tells of each optical drive.
//
// Drives that somebody uses are left alone. The others are asked one command
// only, GET CONFIGURATION: it spins nothing up, waits for nothing, and a unit
// attention that somebody else is to see stays pending (MMC-5 6.6).
package drivelist

import (
	"context"
	"errors"
	"time"

	"burnfs/cmd/burnfs/internal/mountpoint"
	"burnfs/mmc"
	"burnfs/mmc/sgio"
)

// States of a drive.
const (
	Loaded  = "disc"    // a medium is in it, and known
	Empty   = "empty"   // no medium, an open tray, or one that is not known (yet)
	Mounted = "mounted" // by burnfs or by the kernel
	InUse   = "in use"  // by another program
	Unknown = "unknown" // it could not be asked
)

// Drive is one line, and one element of --json. Fields are only ever added.
type Drive struct {
	Node     string `json:"node"` // to give to other commands
	Generic  string `json:"generic_node,omitempty"`
	Vendor   string `json:"vendor"`
	Model    string `json:"model"`
	Revision string `json:"revision"`
	State    string `json:"state"`
	Medium   string `json:"medium,omitempty"`     // kind of medium
	On       string `json:"mounted_on,omitempty"` // mount point
	Problem  string `json:"problem,omitempty"`    // who uses it, or why it could not be asked
}

// Asker reaches the rest of the world.
type Asker struct {
	Open   func(path string) (*mmc.Drive, error)
	Mounts func(path string) ([]mountpoint.Mount, error)
}

// patience bounds how long one drive may take.
const patience = 5 * time.Second

// Describe asks all drives, one after the other.
func (a Asker) Describe(ctx context.Context, devices []sgio.Device) []Drive {
	list := make([]Drive, 0, len(devices))
	for _, d := range devices {
		e := Drive{Node: d.Path(), Vendor: d.Vendor, Model: d.Model, Revision: d.Revision}
		if d.Block != "" {
			e.Generic = d.Generic
		}
		a.ask(ctx, &e)
		list = append(list, e)
	}
	return list
}

func (a Asker) ask(ctx context.Context, e *Drive) {
	if mounts, err := a.Mounts(e.Node); err == nil && len(mounts) > 0 {
		e.State, e.On = Mounted, mounts[0].Point
		return
	}
	if err := a.profile(ctx, e); err != nil {
		e.State, e.Problem = Unknown, err.Error()
		if busy, ok := errors.AsType[*sgio.BusyError](err); ok {
			e.State, e.Problem = InUse, ""
			if len(busy.Holders) > 0 {
				e.Problem = busy.Holders[0].String()
			}
		}
	}
}

func (a Asker) profile(ctx context.Context, e *Drive) (err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	d, err := a.Open(e.Node)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	conf, err := d.GetConfiguration(ctx, mmc.CurrentFeatures, 0)
	if err != nil {
		return err
	}
	e.State = Empty
	if p := conf.CurrentProfile(); p != mmc.ProfileNone {
		e.State, e.Medium = Loaded, p.String()
	}
	return nil
}

// Field documents one field of the JSON.
type Field struct{ Name, Text string }

// Fields lists all fields for the manual page.
func Fields() []Field { return append([]Field(nil), fields[:]...) }

var fields = [...]Field{
	{"node", "The device node to give to the other commands, such as /dev/sr0."},
	{"generic_node", "Its other node, such as /dev/sg1; absent if there is none."},
	{"vendor, model, revision", "What the drive calls itself."},
	{"state", "disc, empty (or the disc is not known yet), mounted, in use (by another program), or unknown (it could not be asked)."},
	{"medium", "The kind of medium, if state is disc."},
	{"mounted_on", "The mount point, if state is mounted."},
	{"problem", "Who uses it, or why it could not be asked."},
}
