package discinfo

// Field documents one field of the JSON.
type Field struct{ Name, Text string }

// Fields lists all fields of Info for the manual page, in the order of printing.
func Fields() []Field { return append([]Field(nil), fields[:]...) }

var fields = [...]Field{
	{"disc", "The disc as it was named, as an absolute path."},
	{"plain_file", "A file without the rules of a disc, such as an ISO image, which the emulated drive presents as a rewritable one; absent if not."},
	{"drive.vendor, drive.model, drive.revision", "What the drive calls itself."},
	{"drive.writes", "The kinds of media that the drive can write and burnfs knows to write."},
	{"drive.handles", "All kinds of media that the drive lists."},
	{"medium", "The disc in the drive; null if there is none."},
	{"medium.profile, medium.name", "MMC's number for the kind of medium, and its name."},
	{"medium.manufacturer, medium.media_id", "Codes that are pressed into the disc, on CD where its lead-in begins; absent where it does not tell."},
	{"medium.state", "blank, appendable (more sessions can follow), interrupted (a burn was not finished), closed, rewritable, or unformatted (rewritable once it is formatted, which writing does)."},
	{"medium.partly_formatted", "The background formatting of a DVD+RW was begun and goes on when the disc is used; absent if not."},
	{"medium.volume_id", "Of the newest session that can be read."},
	{"medium.boot", "What computers can be started with; absent if there is nothing."},
	{"medium.boot.images", "The entries of the newest session's boot catalogue (El Torito) that are to be booted."},
	{"medium.boot.images.platform, medium.boot.images.emulation, medium.boot.images.start", "For which kind of computer, what the image plays, and its first block."},
	{"medium.boot.partition_table", "The first block holds a partition table: a copy of the disc on a hard disk or a USB stick can be started, too (isohybrid)."},
	{"medium.boot.problem", "Why the catalogue cannot be read, or what is wrong with it; absent if nothing is."},
	{"medium.sessions", "How many there are."},
	{"medium.last_session_address, medium.next_address", "First block of the last session, and where the next one will start; -1 if there is none."},
	{"medium.capacity_bytes", "Up to the end of what can ever be written."},
	{"medium.used_bytes", "Up to the end of the last session, with the gaps between sessions."},
	{"medium.free_bytes", "From the start of the next session on."},
	{"medium.fits_bytes", "New files that certainly fit into the next session: free_bytes less the directories that are recorded again, what a session costs besides, and a reserve for one more session."},
	{"medium.fits_problem", "Why nobody can tell what fits."},
	{"medium.write_speeds_kbps", "What the drive offers for this disc, fastest first."},
	{"medium.current_write_speed_kbps", "What is chosen now; absent if the drive does not tell."},
	{"medium.writable", "Whether the next session can be written right away."},
	{"medium.not_writable_reason", "A sentence that says why the disc cannot be written at all."},
	{"medium.one_session_reason", "A sentence that says why the disc takes a single session, written by burn --close, and cannot be mounted writable; absent if it takes more."},
	{"medium.interrupted", "The burn that was not finished; absent if there is none."},
	{"medium.interrupted.session, medium.interrupted.start", "The number of its session and its first block."},
	{"medium.interrupted.recorded_bytes", "How much of it is on the disc; absent if the drive does not tell."},
	{"medium.interrupted.resumable, medium.interrupted.damaged", "Whether the drive could go on with it, and whether it calls the track damaged."},
	{"medium.staged", "What waits for this disc on the local disk."},
	{"medium.staged.dir, medium.staged.changes, medium.staged.unfinished_burn", "Where; whether there are changes that were never burned; whether a burn of them was interrupted."},
	{"medium.advice", "What to do next, in words."},
}
