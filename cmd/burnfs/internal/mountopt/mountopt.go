package mountopt

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"burnfs/cmd/burnfs/internal/speed"
	"burnfs/mmc/recorder"
	"burnfs/session/policy"
	"burnfs/session/tree"
)

// Options is what -o says. The zero value is a mount of the last session,
// writable when the disc is.
type Options struct {
	ReadOnly bool // ro
	Session  int  // session=N, N ≥ 1; 0 is the last one. An older session is read only.

	// AllowOther is allow_other or noallow_other: whether users other than the
	// one who mounts may enter. nil leaves the default: yes for root's mounts.
	AllowOther *bool
	NoExec     bool // noexec
	Suid       bool // suid: set-user-ID bits on the disc are honoured (root only)
	Dev        bool // dev: device files on the disc are honoured (root only)

	VolumeID string        // volid=NAME, at most 32 bytes (ECMA-119 8.4.7)
	Speed    speed.Wish    // speed=N or speed=Nx
	StateDir string        // statedir=DIR, absolute; "" is DefaultStateDir
	Mode     recorder.Mode // mode=NAME: how a CD is written; never ModeDAO
	XA       bool          // xa: the first session of a CD is CD-ROM XA
	Close    bool          // close: the next session finalises the disc
	NoDedupe bool          // dedupe=off: content that the disc has is burned again
	Delta    tree.Delta    // delta=auto, off or BYTES: when changed files keep old blocks
	Create   bool          // create: make the .iso file when it does not exist

	// Commit is what all commit=RULES together say; nil without one.
	Commit *policy.Policy

	// Ignored lists the options accepted without effect, in order.
	Ignored []string
	// Unknown lists the options skipped because of a sloppy parse (-s).
	Unknown []string
}

// CommitPolicy is when the mount commits.
func (o *Options) CommitPolicy() policy.Policy {
	if o.Commit == nil {
		return policy.Default()
	}
	return *o.Commit
}

// VolumeIDMax is the size of the volume identifier field in bytes (ECMA-119 8.4.7).
const VolumeIDMax = 32

// Error says which option is wrong and why.
type Error struct {
	Option string // as the user wrote it
	Reason string
}

func (e *Error) Error() string { return fmt.Sprintf("mount option %q: %s", e.Option, e.Reason) }

// Parse reads the arguments of all -o in order; a later option wins over an
// earlier one. With sloppy set, unknown options are collected in Unknown
// instead of being errors (mount(8) -s).
func Parse(args []string, sloppy bool) (Options, error) {
	var o Options
	for _, arg := range args {
		items, err := split(arg)
		if err != nil {
			return Options{}, err
		}
		for _, item := range items {
			if item == "" {
				continue
			}
			if err := o.apply(item, sloppy); err != nil {
				return Options{}, err
			}
		}
	}
	if o.Session > 0 {
		if o.Close {
			return Options{}, &Error{"close", "an older session is mounted read only, nothing can be burned"}
		}
		o.ReadOnly = true
	}
	if o.Close && o.CommitPolicy().Automatic() {
		return Options{}, &Error{"close", "closes the disc for good with the next session, which a rule of commit= would begin by itself; leave one of them away"}
	}
	return o, nil
}

func (o *Options) apply(item string, sloppy bool) error {
	name, value, hasValue := strings.Cut(item, "=")
	if f, ok := flags[name]; ok {
		if hasValue {
			return &Error{item, "takes no value"}
		}
		f(o)
		return nil
	}
	if f, ok := values[name]; ok {
		if !hasValue || value == "" {
			return &Error{item, "needs a value: " + name + "=…"}
		}
		if reason := f(o, value); reason != "" {
			return &Error{item, reason}
		}
		return nil
	}
	if isForeign(name) {
		o.Ignored = append(o.Ignored, item)
		return nil
	}
	if sloppy {
		o.Unknown = append(o.Unknown, item)
		return nil
	}
	return &Error{item, "unknown; the options are listed in burnfs-mount(1)"}
}

var flags = map[string]func(*Options){
	"ro":                  func(o *Options) { o.ReadOnly = true },
	"rw":                  func(o *Options) { o.ReadOnly = false },
	"allow_other":         func(o *Options) { o.AllowOther = new(true) },
	"noallow_other":       func(o *Options) { o.AllowOther = new(false) },
	"default_permissions": func(*Options) {}, // always on: without it allow_other would mean no checks at all
	"exec":                func(o *Options) { o.NoExec = false },
	"noexec":              func(o *Options) { o.NoExec = true },
	"suid":                func(o *Options) { o.Suid = true },
	"nosuid":              func(o *Options) { o.Suid = false },
	"dev":                 func(o *Options) { o.Dev = true },
	"nodev":               func(o *Options) { o.Dev = false },
	"close":               func(o *Options) { o.Close = true },
	"noclose":             func(o *Options) { o.Close = false },
	"xa":                  func(o *Options) { o.XA = true },
	"create":              func(o *Options) { o.Create = true },
}

var values = map[string]func(o *Options, v string) (reason string){
	"session": func(o *Options, v string) string {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return "a session is a number from 1 on, as 'burnfs sessions' lists them"
		}
		o.Session = n
		return ""
	},
	"volid": func(o *Options, v string) string {
		if len(v) > VolumeIDMax {
			return fmt.Sprintf("a volume id has at most %d bytes, this one has %d", VolumeIDMax, len(v))
		}
		for i := range len(v) {
			if v[i] < 0x20 || v[i] == 0x7f {
				return "a volume id has no control characters"
			}
		}
		o.VolumeID = v
		return ""
	},
	"speed": func(o *Options, v string) string {
		if err := o.Speed.Set(v); err != nil {
			return err.Error()
		}
		return ""
	},
	"mode": func(o *Options, v string) string {
		m, err := recorder.ParseMode(v)
		switch {
		case err != nil:
			return err.Error()
		case m == recorder.ModeDAO:
			return "a disc written at once (dao) takes no second session, so a mount does not write it; use 'burnfs image' and 'burnfs burn --close --mode dao'"
		}
		o.Mode = m
		return ""
	},
	"dedupe": func(o *Options, v string) string {
		if v != "on" && v != "off" {
			return "is on or off"
		}
		o.NoDedupe = v == "off"
		return ""
	},
	"delta": func(o *Options, v string) string {
		d, err := tree.ParseDelta(v)
		if err != nil {
			return err.Error()
		}
		o.Delta = d
		return ""
	},
	"commit": func(o *Options, v string) string {
		p, err := policy.Parse(v)
		if err != nil {
			return err.Error()
		}
		if o.Commit != nil {
			p = o.Commit.Add(p)
		}
		o.Commit = &p
		return ""
	},
	"statedir": func(o *Options, v string) string {
		if !filepath.IsAbs(v) {
			return "needs an absolute path"
		}
		o.StateDir = filepath.Clean(v)
		return ""
	},
}

// foreign are the options of mount(8), fstab(5) and the boot scripts that say
// nothing about the mount itself.
var foreign = map[string]bool{
	"defaults": true, "auto": true, "noauto": true,
	"user": true, "nouser": true, "users": true, "owner": true, "group": true,
	"_netdev": true, "nofail": true,
	"atime": true, "noatime": true, "diratime": true, "nodiratime": true,
	"relatime": true, "norelatime": true, "strictatime": true, "nostrictatime": true,
	"lazytime": true, "nolazytime": true, // access times are never updated on an optical disc
	"async": true, "loud": true, "silent": true, "mand": true, "nomand": true,
	"iversion": true, "noiversion": true, "symfollow": true,
	"comment": true, "uhelper": true, "helper": true,
}

func isForeign(name string) bool {
	return foreign[name] || strings.HasPrefix(name, "x-") || strings.HasPrefix(name, "X-")
}

// split cuts at commas that no backslash precedes and resolves the two escapes.
func split(s string) ([]string, error) {
	var items []string
	var item strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == 0:
			return nil, &Error{s, "contains a NUL byte"}
		case c == '\\' && i+1 < len(s) && (s[i+1] == ',' || s[i+1] == '\\'):
			i++
			item.WriteByte(s[i])
		case c == ',':
			items = append(items, item.String())
			item.Reset()
		default:
			item.WriteByte(c)
		}
	}
	return append(items, item.String()), nil
}

// Own lists burnfs' own options for the manual page, in the order of printing.
func Own() []Doc { return append([]Doc(nil), own[:]...) }

// Doc is one documented option.
type Doc struct{ Name, Value, Text string }

var own = [...]Doc{
	{"ro", "", "Read only. Nothing is staged and nothing is burned."},
	{"rw", "", "Writable if the disc is (the default)."},
	{"session", "N", "Mount session N as it was, read only. Numbers as in burnfs-sessions(1)."},
	{"allow_other, noallow_other", "", "Whether other users may enter the mount; root's mounts allow it unless told otherwise. Permissions are always checked by the kernel. Users other than root need user_allow_other in /etc/fuse.conf."},
	{"volid", "NAME", "Volume id of the sessions burned by this mount, at most 32 bytes. Without it the id of the last session is kept."},
	{"speed", "N", "Burn at this speed: 4x is four times the base speed of the medium (CD 176.4 kB/s, DVD 1385, BD 4496), a number without x is in kB/s (1000 bytes per second). Only what the drive offers is used: the next lower speed, and that is said. Same as --speed."},
	{"mode", "NAME", "How sessions are written where the medium leaves a choice: tao (track at once) or sao (session at once) on CD, incremental on DVD-R and DVD-RW. Without it the one that leaves the most possible later: tao, incremental. A burn that is interrupted in mode sao is not taken up where it stopped but done again. There is no dao here: it takes a single session."},
	{"xa", "", "Write the first session of a CD as CD-ROM XA, mode 2 form 1. Later sessions are always written as the last one on the disc is."},
	{"commit", "RULES", "When sessions are burned: umount+sync unless told otherwise. RULES are joined by +, as in commit=umount+sync+idle:10m, and what is not named is off; several commit= add up. umount: when the disc is unmounted; without it everything stays staged, burnfs umount says so and ends with status 13. sync: at fsync(2) of the root directory, which is what 'sync MOUNTPOINT' does; without it that only makes everything safe in staging. idle:10m: when for ten minutes nothing has changed and no file was open for writing. every:1h: an hour after the first change that is not burned. size:4G: when so much new data waits. none: never by itself. 'burnfs sync' burns whatever the rules say. Each session takes room on the disc besides its data, on a CD 13 MB and more; burnfs status shows how much. The least values are idle:1s, every:1m and size:1MB. Nothing is burned when nothing has changed. After a commit that failed the next automatic one waits a minute, then longer each time up to six hours; after two that may have used up room on the disc there is none before one ordered by 'burnfs sync' succeeds."},
	{"dedupe", "on|off", "Whether new content that the disc has already, or that several new files have, is burned once: on (the default), or off, for whoever wants a second copy on the disc against scratches. The checksums that are recorded on the disc tell where to look; a file is referred to only after its blocks were read back and found to be equal byte by byte, and what cannot be read is burned anew. That takes the time of reading those files, before the burn. Files stay separate: each has its own name, owner and times, and changing one does not change the other. Found is what the newest session shows and has a checksum, which all files have that burnfs or xorriso recorded in one piece."},
	{"delta", "auto|off|BYTES", "When a large file of which little changed keeps the blocks that the disc has of it: only what is new is burned, and the file is recorded as up to 32 sections. Some old systems cannot read such files (burnfs doctor names them), and reading seeks from one section to the next. auto: where that saves 4 MiB and an eighth of the file (the default). BYTES, such as 512K: where it saves so much. off: a changed file is written anew as a whole. Parts of less than 32 KiB between two changes are burned with them. Runs of 1 MiB and more that were written over what the disc has under the same name, as cp and rsync do, are read back and compared when a session is planned; what is the same is not burned. Files that were not changed stay as they are, whatever the option says; so does a burn that was interrupted. Checksums of files that keep old blocks are recorded as long as no more than 256 MiB have to be read back for them in a session."},
	{"statedir", "DIR", "Where the staging directories of discs live. Default: /var/lib/burnfs for root, $XDG_STATE_HOME/burnfs or ~/.local/state/burnfs for others."},
	{"close", "", "The next session closes the disc for good. Nothing can be added to it afterwards."},
	{"create", "", "Make the .iso file if it does not exist (same as --create)."},
	{"noexec, nosuid, nodev, suid, dev", "", "As in mount(8). nosuid and nodev are the default; suid, dev and noexec need root."},
}
