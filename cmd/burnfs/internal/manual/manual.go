package manual

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"burnfs/cmd/burnfs/internal/discinfo"
	"burnfs/cmd/burnfs/internal/drivelist"
	"burnfs/cmd/burnfs/internal/exitcode"
	"burnfs/cmd/burnfs/internal/mounthelper"
	"burnfs/cmd/burnfs/internal/mountopt"
)

// edition is the date of the pages. It is fixed so that the same program
// always makes the same pages.
var edition = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)

// Pages are the manual pages by file name.
func Pages(root *cobra.Command) (map[string][]byte, error) {
	pages := make(map[string][]byte)
	add := func(cmd *cobra.Command, section string) error {
		var b bytes.Buffer
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
		h := &doc.GenManHeader{Title: strings.ToUpper(name), Section: section, Date: &edition, Source: "burnfs", Manual: "burnfs"}
		if err := doc.GenMan(cmd, h, &b); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		pages[name+"."+section] = b.Bytes()
		return nil
	}
	all := []*cobra.Command{root}
	for _, cmd := range root.Commands() {
		if !cmd.Hidden && cmd.Name() != "help" && cmd.Name() != "completion" {
			all = append(append(all, cmd), cmd.Commands()...)
		}
	}
	for _, cmd := range all {
		if cmd.Hidden || cmd.Name() == "help" || cmd.Name() == "completion" {
			continue
		}
		cmd.DisableAutoGenTag = true
		text := cmd.Long
		cmd.Long = markdown(text) + sections(root, cmd)
		err := add(cmd, "1")
		cmd.Long = text
		if err != nil {
			return nil, err
		}
	}
	pages["burnfs-fault.5"] = faultPage()
	for _, cmd := range helpers() {
		cmd.Long = markdown(cmd.Long)
		if err := add(cmd, "8"); err != nil {
			return nil, err
		}
	}
	return pages, nil
}

// markdown keeps a text that is written for terminals from being read as
// markup.
func markdown(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `_`, `\_`, `<`, `\<`, `[`, `\[`).Replace(s)
}

// sections are what a page has behind the description.
func sections(root, cmd *cobra.Command) string {
	var b strings.Builder
	if cmd.Name() == "mount" {
		b.WriteString("\n\n# MOUNT OPTIONS\n\n")
		for _, o := range mountopt.Own() {
			names := strings.Split(o.Name, ", ")
			for i, n := range names {
				names[i] = "**" + markdown(n) + "**"
			}
			item := strings.Join(names, ", ")
			if o.Value != "" {
				item += "=" + o.Value
			}
			fmt.Fprintf(&b, "%s\n:   %s\n\n", item, markdown(o.Text))
		}
		b.WriteString("Options that mount(8), fstab(5) and systemd keep for themselves (auto, noauto, user, \\_netdev, nofail, x-systemd.…) are accepted without effect. " +
			"A comma in a value is written `\\,`. Any other option is an error.\n")
	}
	if list := fields(cmd.Name()); list != nil {
		b.WriteString("\n\n# JSON\n\nSizes are in bytes, speeds in kB/s of 1000 bytes, addresses in blocks of 2048 bytes. Fields are only ever added.\n\n")
		for _, f := range list {
			fmt.Fprintf(&b, "**%s**\n:   %s\n\n", markdown(f[0]), markdown(f[1]))
		}
	}
	if cmd == root {
		b.WriteString("\n\n# EXIT STATUS\n\n")
		for _, r := range exitcode.Table() {
			fmt.Fprintf(&b, "**%d**\n:   %s\n\n", int(r.Code), markdown(r.Meaning))
		}
		b.WriteString("Under the names mount.burnfs and umount.fuse.burnfs the exit status is that of mount(8): 1 for a wrong command line, 2 for a system error, 8 for an interruption, 32 for a failure.\n")
		b.WriteString("\n# FILES\n\n" +
			"**/var/lib/burnfs**, **~/.local/state/burnfs**\n:   Staging: what was changed on mounted discs and is not burned yet, one directory per disc, with the log of the daemon.\n\n" +
			"**/run/burnfs**, **$XDG\\_RUNTIME\\_DIR/burnfs**\n:   Control sockets of mounted discs.\n")
		b.WriteString("\n# ENVIRONMENT\n\n" +
			"**XDG\\_STATE\\_HOME**, **XDG\\_RUNTIME\\_DIR**\n:   Where users other than root have staging and sockets.\n\n" +
			"**SOURCE\\_DATE\\_EPOCH**\n:   The time that 'burnfs image' records for the image itself, and the latest it records for a file, so that the same files give the same image.\n")
	} else {
		b.WriteString("\n\n# EXIT STATUS\n\n0 if it is done; other numbers are listed in burnfs(1).\n")
	}
	return b.String()
}

// fields are what the JSON of a command holds, and what it means.
func fields(command string) (list [][2]string) {
	switch command {
	case "info":
		for _, f := range discinfo.Fields() {
			list = append(list, [2]string{f.Name, f.Text})
		}
	case "drives":
		for _, f := range drivelist.Fields() {
			list = append(list, [2]string{f.Name, f.Text})
		}
	}
	return list
}

// helpers describe the names under which mount(8) and umount(8) call burnfs.
func helpers() []*cobra.Command {
	run := func(*cobra.Command, []string) {}
	return []*cobra.Command{
		{
			Use: mounthelper.MountUsage, Short: "Mount a disc for mount(8)", Run: run,
			DisableFlagsInUseLine: true, DisableAutoGenTag: true,
			Long: "mount(8) calls this for 'mount -t burnfs DISC DIR' and for a line in /etc/fstab such as\n\n" +
				"    /srv/archive.img  /mnt/archive  burnfs  noauto,user  0 0\n\n" +
				"It is a link to burnfs and does what burnfs-mount(1) does. -s tolerates unknown options, -f does everything but the mount itself, -v says more, -n is ignored.",
			Example: "  mount -t burnfs disc.img /mnt",
		},
		{
			Use: mounthelper.UmountUsage, Short: "Unmount a disc for umount(8)", Run: run,
			DisableFlagsInUseLine: true, DisableAutoGenTag: true,
			Long: "umount(8) calls this for 'umount DIR'. It is a link to burnfs and does what burnfs-umount(1) does: it returns when the disc is burned and verified, and fails if it is not.\n\n" +
				"-l detaches the mount at once; the burn begins when the last program has let go, and is not waited for if one holds it. -f, -n and -r are accepted without effect: a forced unmount could lose what programs have not written yet, and is never needed, because the daemon runs on this machine.",
			Example: "  umount /mnt",
		},
	}
}
