/*
 * A network share that stops answering, for the tests of intake: a file system of one folder with one
 * file, spoken to by the kernel through /dev/fuse without any library. Needs the right to mount.
 *
 *     stalling-share FOLDER read|list
 *
 * "read": the folder is listed, but the file's bytes never come. "list": not even the listing comes.
 * Says "mounted" on standard output. When the process ends, all who wait get an error.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int device;

static void answer(const struct fuse_in_header *question, int error, const void *body, size_t size) {
  struct fuse_out_header header = {.len = sizeof header + size, .error = error, .unique = question->unique};
  struct iovec parts[2] = {{&header, sizeof header}, {(void *)body, size}};
  if (writev(device, parts, size == 0 ? 1 : 2) < 0) perror("stalling-share");
}

static struct fuse_attr attributes(unsigned long node) {
  struct fuse_attr of = {.ino = node, .size = node == 1 ? 0 : 1 << 20, .nlink = 1, .blksize = 4096};
  of.mode = node == 1 ? S_IFDIR | 0755 : S_IFREG | 0644;
  return of;
}

int main(int count, char **values) {
  if (count != 3) return 2;
  int lists = strcmp(values[2], "read") == 0;
  device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
  if (device < 0) return 1;
  char options[128];
  snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
  if (mount("stalling", values[1], "fuse", MS_NOSUID | MS_NODEV, options) != 0) return 1;
  puts("mounted");
  fflush(stdout);
  static char buffer[1 << 20];
  for (;;) {
    if (read(device, buffer, sizeof buffer) <= 0) return 0;
    const struct fuse_in_header *question = (const void *)buffer;
    switch (question->opcode) {
      case FUSE_INIT: {
        struct fuse_init_out out = {.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096};
        answer(question, 0, &out, sizeof out);
        break;
      }
      case FUSE_GETATTR: {
        struct fuse_attr_out out = {.attr_valid = 60, .attr = attributes(question->nodeid)};
        answer(question, 0, &out, sizeof out);
        break;
      }
      case FUSE_LOOKUP: {
        struct fuse_entry_out out = {.nodeid = 2, .entry_valid = 60, .attr_valid = 60, .attr = attributes(2)};
        if (strcmp(buffer + sizeof *question, "film.dcm") == 0) answer(question, 0, &out, sizeof out);
        else answer(question, -2, NULL, 0);
        break;
      }
      case FUSE_OPEN:
      case FUSE_OPENDIR: {
        struct fuse_open_out out = {.fh = 1};
        answer(question, 0, &out, sizeof out);
        break;
      }
      case FUSE_READDIR: {
        const struct fuse_read_in *in = (const void *)(buffer + sizeof *question);
        if (!lists) break;
        struct { struct fuse_dirent entry; char name[8]; } one = {{.ino = 2, .off = 1, .namelen = 8, .type = 8}, ""};
        memcpy(one.name, "film.dcm", 8);
        if (in->offset == 0) answer(question, 0, &one, 32);
        else answer(question, 0, NULL, 0);
        break;
      }
      case FUSE_READ:
        break;
      case FUSE_ACCESS:
      case FUSE_RELEASE:
      case FUSE_RELEASEDIR:
      case FUSE_FLUSH:
        answer(question, 0, NULL, 0);
        break;
      case FUSE_FORGET:
      case FUSE_BATCH_FORGET:
      case FUSE_INTERRUPT:
        break;
      default:
        answer(question, -38, NULL, 0);
    }
  }
}
