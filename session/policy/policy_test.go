package policy

import (
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text   string
		want   Policy
		err    string // substring; "" is success
		reason string
	}{
		{"umount+sync", Default(), "", "what a mount does that says nothing"},
		{"none", Policy{}, "", "only an explicit order burns"},
		{"umount+sync+idle:10m+every:1h+size:4GB", Policy{true, true, 10 * time.Minute, time.Hour, 4e9}, "", "all at once"},
		{"size:4G", Policy{Size: 4e9}, "", "a unit may lack its B"},
		{"size:700MiB", Policy{Size: 700 << 20}, "", "binary units"},
		{"idle:90s", Policy{Idle: 90 * time.Second}, "", "what is not named is off"},
		{"", Policy{}, "no rule", "an empty rule is a slip"},
		{"umount+", Policy{}, "no rule", "so is one at the end"},
		{"unmount", Policy{}, "they are umount", "the message lists what there is"},
		{"umount:1", Policy{}, "takes no value", "a value that has no meaning"},
		{"umount:", Policy{}, "takes no value", "nor has an empty one"},
		{"none+idle:1m", Policy{}, "stands alone", "none and something"},
		{"idle", Policy{}, "needs a time", "a rule without its value"},
		{"idle:10", Policy{}, "needs a time", "a number without a unit: seconds or minutes?"},
		{"idle:0s", Policy{}, "refused", "zero is not off"},
		{"idle:-5m", Policy{}, "refused", "time does not go back"},
		{"every:1s", Policy{}, "less than 1m is refused", "a session takes longer than that"},
		{"size:big", Policy{}, "needs a size", "no number"},
		{"size:1K", Policy{}, "refused", "less than a session costs"},
		{"size:9EB", Policy{}, "needs a size", "beyond what a counter holds"},
	} {
		got, err := Parse(c.text)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("Parse(%q): %v, want an error with %q (%s)", c.text, err, c.err, c.reason)
			}
			continue
		}
		if err != nil || got != c.want {
			t.Errorf("Parse(%q) = %+v, %v; want %+v (%s)", c.text, got, err, c.want, c.reason)
		}
		if again, err := Parse(got.String()); err != nil || again != got {
			t.Errorf("%q is printed as %q, which reads %+v, %v", c.text, got, again, err)
		}
	}
}

func TestAdd(t *testing.T) {
	got := Default().Add(Policy{Idle: time.Minute, Size: 5}).Add(Policy{Idle: time.Hour})
	if want := (Policy{Umount: true, Sync: true, Idle: time.Hour, Size: 5}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWarn(t *testing.T) {
	const session, cd = 14_000_000, 700_000_000
	for _, c := range []struct {
		policy     Policy
		cost, free int64
		want       string
		reason     string
	}{
		{Policy{Every: time.Minute}, session, cd, "50 sessions in 50m", "a CD is full of sessions within the hour"},
		{Policy{Idle: time.Second}, session, cd, "50 sessions in 1m", "a pause of a second comes all the time"},
		{Policy{Idle: time.Hour}, session, cd, "", "two days of use are the user's choice"},
		{Policy{Size: 5e6}, session, cd, "more than the data", "most of the disc would be overhead"},
		{Policy{Size: 5e8, Umount: true}, session, cd, "", "overhead is small"},
		{Policy{Every: time.Minute}, 1 << 20, 25e9, "", "a large disc with small sessions lasts longer than a day"},
		{Policy{Every: time.Minute}, 0, 0, "", "a disc that is full warns by itself"},
		{Policy{Every: time.Nanosecond}, 1, 1 << 62, "sessions in", "no overflow"},
	} {
		got := c.policy.Warn(c.cost, c.free)
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%v: %q, want %q (%s)", c.policy, got, c.want, c.reason)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "none", "umount+sync", "idle:10m+every:1h+size:4G", "size:9999999999999999999999", "idle:2562047h47m16.854775807s", "++:"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := Parse(s)
		if err != nil {
			if p != (Policy{}) || err.Error() == "" {
				t.Fatalf("%q: %+v with %q", s, p, err)
			}
			return
		}
		if p.Idle != 0 && p.Idle < MinIdle || p.Every != 0 && p.Every < MinEvery || p.Size != 0 && p.Size < MinSize {
			t.Fatalf("%q: below the least: %+v", s, p)
		}
		if again, err := Parse(p.String()); err != nil || again != p {
			t.Fatalf("%q is printed as %q, which reads %+v, %v", s, p, again, err)
		}
		_ = p.Warn(1<<20, 1<<30) // must not panic
	})
}
