package mountopt

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"burnfs/cmd/burnfs/internal/speed"
	"burnfs/mmc/recorder"
	"burnfs/session/policy"
	"burnfs/session/tree"
)

func TestParse(t *testing.T) {
	tests := []struct {
		args   []string
		sloppy bool
		want   Options
		err    string // substring; "" is success
		reason string
	}{
		{nil, false, Options{}, "", "no -o at all"},
		{[]string{""}, false, Options{}, "", "mount(8) may pass an empty string"},
		{[]string{"rw,,ro"}, false, Options{ReadOnly: true}, "", "empty items are skipped, the last of ro and rw wins"},
		{[]string{"ro", "rw"}, false, Options{}, "", "a later -o wins"},
		{[]string{"session=2"}, false, Options{Session: 2, ReadOnly: true}, "", "an older session is read only"},
		{[]string{"session=2,rw"}, false, Options{Session: 2, ReadOnly: true}, "", "mount(8) always adds rw, so it cannot be an error"},
		{[]string{"session=0"}, false, Options{}, "number from 1", "sessions count from 1"},
		{[]string{"session"}, false, Options{}, "needs a value", "session without number"},
		{[]string{"session="}, false, Options{}, "needs a value", "session with empty number"},
		{[]string{"session=2,close"}, false, Options{}, "read only", "an old session cannot be closed"},
		{[]string{"ro=1"}, false, Options{}, "takes no value", "flags have no values"},
		{[]string{"allow_other"}, false, Options{AllowOther: new(true)}, "", "a flag with a default that depends on the user"},
		{[]string{"uid=0"}, false, Options{}, "unknown", "owners are shown as recorded; silence would mislead"},
		{[]string{"allow_other,noallow_other,default_permissions"}, false, Options{AllowOther: new(false)}, "", "the default can be named"},
		{[]string{`volid=A\,B\\C`}, false, Options{VolumeID: `A,B\C`}, "", "a comma in a value is escaped"},
		{[]string{`volid=A\B`}, false, Options{VolumeID: `A\B`}, "", "any other backslash is itself"},
		{[]string{"volid=" + strings.Repeat("x", 33)}, false, Options{}, "at most 32", "the field has 32 bytes"},
		{[]string{"volid=a\nb"}, false, Options{}, "control", "the id is printed by every tool"},
		{[]string{"speed=5540"}, false, Options{Speed: speed.Wish{KBps: 5540}}, "", "DVD 4x"},
		{[]string{"speed=4x"}, false, Options{Speed: speed.Wish{Times: 4}}, "", "how many kB/s that is, the medium says"},
		{[]string{"speed=fast"}, false, Options{}, "kB/s", "no number"},
		{[]string{"speed=0"}, false, Options{}, "kB/s", "0 is the default and has no name"},
		{[]string{"mode=SAO,xa"}, false, Options{Mode: recorder.ModeSAO, XA: true}, "", "how a CD is written"},
		{[]string{"mode=dao"}, false, Options{}, "burn --close --mode dao", "a mount is for discs that take more sessions"},
		{[]string{"mode=packet"}, false, Options{}, "choose one of", "no mode"},
		{[]string{"statedir=/var/tmp/../b"}, false, Options{StateDir: "/var/b"}, "", "cleaned"},
		{[]string{"statedir=b"}, false, Options{}, "absolute", "the daemon works in /"},
		{[]string{"close,create"}, false, Options{Close: true, Create: true}, "", "own flags"},
		{[]string{"noexec,suid,dev"}, false, Options{NoExec: true, Suid: true, Dev: true}, "", "generic flags with a meaning"},
		{[]string{"noexec,suid,dev,exec,nosuid,nodev"}, false, Options{}, "", "and their opposites"},
		{[]string{"noauto,user,_netdev,nofail,x-systemd.automount,x-systemd.requires=/srv,X-mount.mkdir"}, false,
			Options{Ignored: []string{"noauto", "user", "_netdev", "nofail", "x-systemd.automount", "x-systemd.requires=/srv", "X-mount.mkdir"}}, "", "fstab and systemd keep these for themselves"},
		{[]string{"relatime,noatime,defaults,comment=mine"}, false,
			Options{Ignored: []string{"relatime", "noatime", "defaults", "comment=mine"}}, "", "without effect here"},
		{[]string{"sesion=2"}, false, Options{}, `"sesion=2": unknown`, "a misspelt option must not mount the wrong session"},
		{[]string{"sesion=2"}, true, Options{Unknown: []string{"sesion=2"}}, "", "mount -s asks for tolerance"},
		{[]string{"commit=umount+idle:10m"}, false, Options{Commit: &policy.Policy{Umount: true, Idle: 10 * time.Minute}}, "", "rules are joined by plus signs: a comma ends an option"},
		{[]string{"commit=umount", "commit=idle:1m,commit=idle:2m+size:4G"}, false, Options{Commit: &policy.Policy{Umount: true, Idle: 2 * time.Minute, Size: 4e9}}, "", "several add up, the last value of a rule counts"},
		{[]string{"commit=none"}, false, Options{Commit: &policy.Policy{}}, "", "only burnfs sync burns"},
		{[]string{"commit=umount,sync"}, false, Options{}, "unknown", "a comma between rules is a misspelt option, and not one of mount(8)'s"},
		{[]string{"commit=every:1s"}, false, Options{}, "less than 1m", "the reason comes along"},
		{[]string{"dedupe=on", "dedupe=off"}, false, Options{NoDedupe: true}, "", "a second copy against scratches"},
		{[]string{"dedupe=off", "dedupe=on"}, false, Options{}, "", "the default can be named"},
		{[]string{"dedupe=yes"}, false, Options{}, "on or off", "as the manual has it"},
		{[]string{"delta=off", "delta=512KiB"}, false, Options{Delta: 512 << 10}, "", "the last one counts"},
		{[]string{"delta=off"}, false, Options{Delta: tree.DeltaOff}, "", "changed files in one piece, for old readers"},
		{[]string{"delta=auto"}, false, Options{}, "", "the default can be named"},
		{[]string{"delta=2047"}, false, Options{}, "less than a block", "nothing less is ever saved"},
		{[]string{"delta=10EiB"}, false, Options{}, "delta=off", "beyond a signed number"},
		{[]string{"delta=on"}, false, Options{}, "auto, off", "what on would mean, nobody knows"},
		{[]string{"delta"}, false, Options{}, "needs a value", "an option with a value"},
		{[]string{"commit"}, false, Options{}, "needs a value", "ext4 has one, too"},
		{[]string{"close,commit=umount"}, false, Options{Close: true, Commit: &policy.Policy{Umount: true}}, "", "whoever unmounts means it"},
		{[]string{"close,commit=idle:1h"}, false, Options{}, "for good", "nobody wants a disc to be closed by a pause"},
		{[]string{"ro\x00"}, false, Options{}, "NUL", "cannot come from a command line, only from a bug"},
	}
	for _, tt := range tests {
		got, err := Parse(tt.args, tt.sloppy)
		if tt.err != "" {
			var oe *Error
			if !errors.As(err, &oe) || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("Parse(%q): error %v, want one with %q (%s)", tt.args, err, tt.err, tt.reason)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("Parse(%q) = %+v, %v; want %+v (%s)", tt.args, got, err, tt.want, tt.reason)
		}
	}
}

func TestOwnOptionsParse(t *testing.T) {
	example := map[string]string{"session": "1", "volid": "V", "speed": "1", "mode": "sao", "statedir": "/s", "commit": "idle:10m", "delta": "512K", "dedupe": "off"}
	for _, d := range Own() {
		for name := range strings.SplitSeq(d.Name, ", ") {
			item := name
			if d.Value != "" {
				item += "=" + example[name]
			}
			o, err := Parse([]string{item}, false)
			if err != nil || len(o.Ignored) != 0 {
				t.Errorf("documented option %q: %+v, %v", item, o, err)
			}
		}
	}
}

func TestDefaultStateDir(t *testing.T) {
	tests := []struct {
		uid    int
		env    map[string]string
		want   string
		err    error
		reason string
	}{
		{0, map[string]string{"XDG_STATE_HOME": "/x"}, "/var/lib/burnfs", nil, "root's state belongs to the machine"},
		{7, map[string]string{"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/burnfs", nil, "XDG first"},
		{7, map[string]string{"XDG_STATE_HOME": "x", "HOME": "/h"}, "/h/.local/state/burnfs", nil, "relative XDG paths are ignored"},
		{7, nil, "/home/seven/.local/state/burnfs", nil, "mount(8) takes HOME away from its helpers"},
		{8, nil, "", ErrNoHome, "nothing to go by"},
	}
	for _, tt := range tests {
		got, err := DefaultStateDir(tt.uid, func(k string) string { return tt.env[k] }, func(uid int) string { return map[int]string{7: "/home/seven"}[uid] })
		if got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("uid %d %v: %q, %v; want %q, %v (%s)", tt.uid, tt.env, got, err, tt.want, tt.err, tt.reason)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "ro,session=3", `volid=a\,b\\`, "x-systemd.automount,statedir=/s", "speed=99999999999999999999", `\`, "=", ",,="} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, sloppy bool) {
		o, err := Parse([]string{s}, sloppy)
		if err != nil {
			var oe *Error
			if !errors.As(err, &oe) || oe.Reason == "" {
				t.Fatalf("%q: untyped error %v", s, err)
			}
			return
		}
		if len(o.VolumeID) > VolumeIDMax || o.Session < 0 || o.Speed.KBps < 0 || o.Speed.Times < 0 {
			t.Fatalf("%q: out of range: %+v", s, o)
		}
		if o.Session > 0 && !o.ReadOnly {
			t.Fatalf("%q: an older session is writable", s)
		}
		if len(o.Unknown) > 0 && !sloppy {
			t.Fatalf("%q: unknown options passed a strict parse", s)
		}
	})
}
