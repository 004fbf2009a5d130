/*
 * What a power cut would leave of a database, for the tests that pull the plug.
 *
 * Preloaded into a process (LD_PRELOAD), it copies each file of the database as it is when it has
 * been synchronised to disk, and notes the order of synchronisations and of the trainer's log lines
 * about noise in one file that all processes append to:
 *
 *   synced NUMBER NAME     the copy is IMAGES/NUMBER-NAME
 *   noise STEP             written before the line reaches the log
 *
 * What was written and not yet synchronised is in no copy, as after the worst of power cuts.
 *
 * DISK_STORE: the path with which the database's files begin. DISK_IMAGES: the folder of the copies.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int images = 0;

static ssize_t plain_write(int file, const void *data, size_t size) {
  static ssize_t (*real)(int, const void *, size_t) = NULL;
  if (real == NULL) real = dlsym(RTLD_NEXT, "write");
  return real(file, data, size);
}

static void note(const char *line) {
  char path[4096];
  snprintf(path, sizeof path, "%s/events", getenv("DISK_IMAGES"));
  int file = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (file < 0) abort();
  plain_write(file, line, strlen(line));
  close(file);
}

static void keep(int synced) {
  const char *store = getenv("DISK_STORE");
  if (store == NULL) return;
  char link[64], path[4096], copy[8192], line[8192];
  snprintf(link, sizeof link, "/proc/self/fd/%d", synced);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return;
  path[length] = 0;
  if (strncmp(path, store, strlen(store)) != 0) return;
  const char *name = strrchr(path, '/') + 1;
  pthread_mutex_lock(&lock);
  images += 1;
  snprintf(copy, sizeof copy, "%s/%d-%s", getenv("DISK_IMAGES"), images, name);
  int from = open(path, O_RDONLY);
  int to = open(copy, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (from < 0 || to < 0) abort();
  char block[65536];
  ssize_t got;
  while ((got = read(from, block, sizeof block)) > 0) plain_write(to, block, (size_t)got);
  close(from);
  close(to);
  snprintf(line, sizeof line, "synced %d %s\n", images, name);
  note(line);
  pthread_mutex_unlock(&lock);
}

int fsync(int file) {
  static int (*real)(int) = NULL;
  if (real == NULL) real = dlsym(RTLD_NEXT, "fsync");
  int result = real(file);
  if (result == 0) keep(file);
  return result;
}

int fdatasync(int file) {
  static int (*real)(int) = NULL;
  if (real == NULL) real = dlsym(RTLD_NEXT, "fdatasync");
  int result = real(file);
  if (result == 0) keep(file);
  return result;
}

ssize_t write(int file, const void *data, size_t size) {
  if (getenv("DISK_IMAGES") != NULL && size > 0 && size < 4000) {
    char text[4001];
    memcpy(text, data, size);
    text[size] = 0;
    char *found = strstr(text, " draws its noise");
    if (found != NULL) {
      while (found > text && found[-1] >= '0' && found[-1] <= '9') found -= 1;
      char line[64];
      snprintf(line, sizeof line, "noise %d\n", atoi(found));
      note(line);
    }
  }
  return plain_write(file, data, size);
}
