/* The test guest of shared memory: the first program of a Linux that finds its two ivshmem devices, draws a picture
 * into the larger one as a Looking Glass host does, and plays into the smaller one as Scream's driver does.
 *
 * Layouts: LGMP 6 and KVMFR 20, as Looking Glass B7 speaks them (lgmp/src/headers.h, common/include/common/KVMFR.h),
 * on x86-64 with its natural alignment; Scream's header (Receivers/unix/shmem.h). */
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { WIDTH = 320, HEIGHT = 200, PITCH = WIDTH * 4, QUEUES = 5, SLOTS = 2 };
enum { FRAMES = 2, BGRA = 1, RATE = 48000, CHUNK = 1764, CHUNKS = 64, SOUND_AT = 32 };

struct sent { uint32_t size; uint8_t data[64]; };
struct queue {
    uint32_t id, messages, subscribed, patience, position, offset;
    uint64_t timeouts[32];
    uint32_t clients[32];
    uint32_t lock;
    uint64_t subscribers;
    uint32_t start;
    uint64_t deadline;
    uint32_t count;
    uint32_t from_clients[5];
    struct sent sent[10];
};
struct lgmp {
    uint32_t magic, version, session;
    uint64_t timestamp;
    uint32_t queues;
    struct queue queue[QUEUES];
    uint32_t told_size;
    uint8_t told[];
};
struct kvmfr { char magic[8]; uint32_t version; char host[32]; uint32_t features; };
struct message { uint32_t told, size, offset, pending; };
struct frame {
    uint32_t format, serial, type, screen_width, screen_height, data_width, data_height, width, height;
    uint32_t rotation, stride, pitch, offset, rectangles;
    uint32_t rectangle[64][4];
    uint32_t flags;
};
struct scream {
    uint32_t magic;
    uint16_t written;
    uint8_t offset;
    uint16_t chunks;
    uint32_t chunk;
    uint8_t rate, bits, channels;
    uint16_t map;
};

static void say(const char *text)
{
    int console = open("/dev/ttyS0", O_WRONLY);
    if (write(console, text, strlen(text)) < 0)
        _exit(1);
    close(console);
}

/* the device's BAR 2, and how large it is */
static uint8_t *map(const char *device, size_t *size)
{
    char path[300];
    struct stat seen;
    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/enable", device);
    int enable = open(path, O_WRONLY);
    if (enable < 0 || write(enable, "1", 1) != 1)
        say("sharing: cannot enable\n");
    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource2", device);
    int bar = open(path, O_RDWR);
    if (bar < 0 || fstat(bar, &seen) < 0)
        return NULL;
    *size = seen.st_size;
    uint8_t *memory = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, bar, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static int is_ivshmem(const char *device)
{
    char path[300], id[16] = "";
    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/device", device);
    int file = open(path, O_RDONLY);
    return file >= 0 && read(file, id, sizeof(id) - 1) > 0 && strncmp(id, "0x1110", 6) == 0;
}

static void welcome(uint8_t *memory)
{
    struct lgmp *head = (struct lgmp *)memory;
    struct kvmfr hello = { .magic = "KVMFR---", .version = 20, .host = "libvf test guest" };
    head->version = 6;
    head->session = 4711;
    head->queues = 2;
    head->queue[0].id = 1;
    head->queue[0].messages = SLOTS;
    head->queue[0].offset = 8192;
    head->queue[1].id = FRAMES;
    head->queue[1].messages = SLOTS;
    head->queue[1].offset = 12288;
    head->told_size = sizeof(hello);
    memcpy(head->told, &hello, sizeof(hello));
    head->magic = 0x504d474c;
}

/* red grows to the right, green downwards, and blue is the number of the picture */
static void draw(uint8_t *memory, uint32_t serial)
{
    struct lgmp *head = (struct lgmp *)memory;
    struct queue *queue = &head->queue[1];
    uint32_t slot = queue->position, place = 65536 + slot * (1 << 20);
    struct frame *frame = (struct frame *)(memory + place);
    memset(frame, 0, sizeof(*frame));
    frame->serial = serial;
    frame->type = BGRA;
    frame->screen_width = frame->data_width = frame->width = frame->stride = WIDTH;
    frame->screen_height = frame->data_height = frame->height = HEIGHT;
    frame->pitch = PITCH;
    frame->offset = 4096 - sizeof(uint32_t);
    volatile uint32_t *progress = (uint32_t *)(memory + place + frame->offset);
    uint32_t *pixels = (uint32_t *)(memory + place + 4096);
    *progress = 0;
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++)
            pixels[y * WIDTH + x] = (x * 255 / (WIDTH - 1)) << 16 | (y * 255 / (HEIGHT - 1)) << 8 | serial;
    *progress = PITCH * HEIGHT;
    struct message *message = (struct message *)(memory + queue->offset) + slot;
    message->size = 4096 + PITCH * HEIGHT;
    message->offset = place;
    queue->position = (slot + 1) % SLOTS;
    head->timestamp += 16;
}

/* 1 kHz on the left, 440 Hz on the right */
static void play(uint8_t *memory, uint32_t chunk)
{
    struct scream *head = (struct scream *)memory;
    uint16_t next = (head->written + 1) % CHUNKS;
    int16_t *samples = (int16_t *)(memory + SOUND_AT + next * CHUNK);
    for (uint32_t i = 0; i < CHUNK / 4; i++) {
        double second = (double)(chunk * (CHUNK / 4) + i) / RATE;
        samples[2 * i] = (int16_t)(16000 * sin(2 * M_PI * 1000 * second));
        samples[2 * i + 1] = (int16_t)(16000 * sin(2 * M_PI * 440 * second));
    }
    head->offset = SOUND_AT;
    head->chunks = CHUNKS;
    head->chunk = CHUNK;
    head->rate = RATE / 48000;
    head->bits = 16;
    head->channels = 2;
    head->map = 3;
    head->magic = 0x11112014;
    head->written = next;
}

int main(void)
{
    uint8_t *glass = NULL, *scream = NULL;
    mount("sys", "/sys", "sysfs", 0, NULL);
    mknod("/dev/ttyS0", S_IFCHR | 0600, makedev(4, 64));
    DIR *devices = opendir("/sys/bus/pci/devices");
    for (struct dirent *one; devices && (one = readdir(devices));) {
        size_t size = 0;
        uint8_t *memory = is_ivshmem(one->d_name) ? map(one->d_name, &size) : NULL;
        if (memory && size == 2 << 20)
            scream = memory;
        else if (memory)
            glass = memory;
    }
    say(glass ? "sharing: frames\n" : "sharing: no memory for frames\n");
    say(scream ? "sharing: sound\n" : "sharing: no memory for sound\n");
    if (glass)
        welcome(glass);
    for (uint32_t turn = 1;; turn++) {
        if (glass && turn % 4 == 1)
            draw(glass, turn / 4 % 250 + 1);
        if (scream)
            play(scream, turn);
        usleep(20000);
    }
}
