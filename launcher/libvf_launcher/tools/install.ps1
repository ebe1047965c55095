# Installs what is in the folder "files" of this CD, and what a guest of libvf wants set. Started by install.cmd.
# Each step says what it did or why it was skipped, here and in %ProgramData%\libvf\guest-tools.log; a step that fails
# does not keep the next from running. Exit code: how many failed. Written for Windows PowerShell 5.1.

$ErrorActionPreference = 'Stop'
$Files = Join-Path $PSScriptRoot 'files'
$Keys = Join-Path $PSScriptRoot 'authorized_keys'
$LogFolder = Join-Path $env:ProgramData 'libvf'
$Log = Join-Path $LogFolder 'guest-tools.log'
# PnPUtil and Windows Installer: done; nothing to do, as no device wants it or has a newer one; done, restart Windows
$Good = 0, 259, 3010
$script:Failed = 0
$script:Restart = $false

function Say($Text) {
    Write-Host $Text
    Add-Content -Path $Log -Value ('{0:s} {1}' -f (Get-Date), $Text)
}

function Step($Name, $Work) {
    try {
        $done = & $Work
        Say "${Name}: $done"
    } catch {
        $script:Failed++
        Say "${Name}: FAILED: $($_.Exception.Message)"
    }
}

function Find($Pattern) {
    if (-not (Test-Path $Files)) { return @() }
    return @(Get-ChildItem -Path $Files -Recurse -File -Filter $Pattern | Sort-Object FullName)
}

function Run($Program, $Arguments) {
    $process = Start-Process -FilePath $Program -ArgumentList $Arguments -Wait -PassThru -WindowStyle Hidden
    if ($Good -notcontains $process.ExitCode) { throw "$Program $Arguments ended with $($process.ExitCode)" }
    if ($process.ExitCode -eq 3010) { $script:Restart = $true }
}

# Windows asks before it takes a driver of a publisher it does not know. Who put the driver into the folder trusts it.
function Trust($Folder) {
    $store = New-Object System.Security.Cryptography.X509Certificates.X509Store('TrustedPublisher', 'LocalMachine')
    $store.Open('ReadWrite')
    foreach ($catalog in Get-ChildItem -Path $Folder -File -Filter '*.cat') {
        $signature = Get-AuthenticodeSignature $catalog.FullName
        if ($signature.Status -eq 'Valid') { $store.Add($signature.SignerCertificate) }
    }
    $store.Close()
}

function AddDriver($Inf) {
    Trust $Inf.DirectoryName
    Run 'pnputil.exe' @('/add-driver', "`"$($Inf.FullName)`"", '/install')
}

# The folder names of the virtio-win CD: one for each Windows and architecture
function WindowsFolder {
    $system = Get-CimInstance Win32_OperatingSystem
    $build = [int]$system.BuildNumber
    if ($system.ProductType -eq 1) {
        if ($build -ge 22000) { return 'w11' } else { return 'w10' }
    }
    if ($build -ge 26100) { return '2k25' }
    if ($build -ge 20348) { return '2k22' }
    if ($build -ge 17763) { return '2k19' }
    return '2k16'
}

# A driver for another Windows would only fill the driver store; one that lies in no such folder is for any
function Suits($Inf) {
    $parts = $Inf.FullName.ToLower().Split('\')
    $systems = @($parts | Where-Object { $_ -match '^(xp|2k\d+(r2)?|w7|w8(\.1)?|w10|w11)$' })
    $processors = @($parts | Where-Object { $_ -match '^(x86|amd64|x64|arm64)$' })
    $system = ($systems.Count -eq 0) -or ($systems -contains (WindowsFolder))
    $processor = ($processors.Count -eq 0) -or (@($processors | Where-Object { $_ -match '^(amd64|x64)$' }).Count -gt 0)
    return $system -and $processor
}

function InstallDrivers {
    $found = @(Find '*.inf' | Where-Object { $_.Name -notmatch '^(scream|ivshmem|autorun)' -and (Suits $_) })
    if ($found.Count -eq 0) { return 'skipped: no driver for this Windows in the folder' }
    $bad = @()
    foreach ($inf in $found) {
        try { AddDriver $inf } catch { $bad += "$($inf.Name): $($_.Exception.Message)" }
    }
    if ($bad.Count -gt 0) { throw ($bad -join '; ') }
    return "$($found.Count) installed"
}

function InstallIvshmem {
    $found = @(Find 'ivshmem*.inf' | Where-Object { Suits $_ })
    if ($found.Count -eq 0) { return 'skipped: no ivshmem*.inf in the folder; the Looking Glass installer since B6 brings it' }
    AddDriver $found[0]
    return "$($found[0].Name) installed"
}

function InstallGuestAgent {
    if (Get-Service -Name 'QEMU-GA' -ErrorAction SilentlyContinue) { return 'is there already' }
    $found = @(Find 'qemu-ga-x86_64.msi')
    if ($found.Count -eq 0) { return 'skipped: no qemu-ga-x86_64.msi in the folder' }
    Run 'msiexec.exe' @('/i', "`"$($found[0].FullName)`"", '/qn', '/norestart')
    return 'installed'
}

function InstallLookingGlass {
    $found = @(Find 'looking-glass-host-setup.exe')
    if ($found.Count -eq 0) { return 'skipped: no looking-glass-host-setup.exe in the folder' }
    Run $found[0].FullName @('/S')
    return 'installed, its service starts with Windows'
}

function InstallScream {
    $found = @(Find 'Scream.inf' | Where-Object { Suits $_ })
    if ($found.Count -eq 0) { return 'skipped: no Scream.inf in the folder' }
    # the driver takes the shared memory of exactly that many MiB for its own
    $options = 'HKLM:\SYSTEM\CurrentControlSet\Services\Scream\Options'
    New-Item -Path $options -Force | Out-Null
    New-ItemProperty -Path $options -Name 'UseIVSHMEM' -PropertyType DWord -Value 2 -Force | Out-Null
    if (Get-PnpDevice -Class MEDIA -ErrorAction SilentlyContinue | Where-Object { $_.HardwareID -contains '*Scream' }) {
        return 'is there already; shared memory set'
    }
    $helpers = @(Find 'devcon-x64.exe') + @(Find 'devcon.exe')
    if ($helpers.Count -eq 0) { return 'skipped: its driver needs devcon-x64.exe, which comes with it' }
    Trust $found[0].DirectoryName
    Run $helpers[0].FullName @('install', "`"$($found[0].FullName)`"", '*Scream')
    $script:Restart = $true
    return 'installed, by shared memory'
}

function InstallSsh {
    if (-not (Test-Path $Keys)) { return 'skipped: spec.guestTools.sshKeys names no Secret' }
    if (-not (Get-Service -Name sshd -ErrorAction SilentlyContinue)) {
        $found = @(Find 'OpenSSH-Win64*.msi')
        if ($found.Count -gt 0) {
            Run 'msiexec.exe' @('/i', "`"$($found[0].FullName)`"", '/qn', '/norestart')
        } else {
            Add-WindowsCapability -Online -Name 'OpenSSH.Server~~~~0.0.1.0' | Out-Null
        }
    }
    Set-Service -Name sshd -StartupType Automatic
    Start-Service -Name sshd
    if (-not (Get-NetFirewallRule -Name 'OpenSSH-Server-In-TCP' -ErrorAction SilentlyContinue)) {
        New-NetFirewallRule -Name 'OpenSSH-Server-In-TCP' -DisplayName 'OpenSSH Server (sshd)' -Direction Inbound `
            -Protocol TCP -LocalPort 22 -Action Allow | Out-Null
    }
    return "runs, $(AddKeys) new keys"
}

# sshd refuses the file where anybody but Administrators (S-1-5-32-544) and SYSTEM (S-1-5-18) may write it; by number,
# as their names differ from language to language
function AddKeys {
    $place = Join-Path $env:ProgramData 'ssh\administrators_authorized_keys'
    $there = @()
    if (Test-Path $place) { $there = @(Get-Content -Path $place) }
    $new = @(Get-Content -Path $Keys | Where-Object { $_.Trim() -and ($there -cnotcontains $_) })
    if ($new.Count -gt 0) { Set-Content -Path $place -Value ($there + $new) -Encoding Ascii }
    Run 'icacls.exe' @("`"$place`"", '/inheritance:r', '/grant', '*S-1-5-32-544:F', '/grant', '*S-1-5-18:F')
    return $new.Count
}

function StayAwake {
    foreach ($timeout in 'standby', 'hibernate', 'monitor', 'disk') {
        foreach ($power in 'ac', 'dc') { Run 'powercfg.exe' @('/change', "$timeout-timeout-$power", '0') }
    }
    Run 'powercfg.exe' @('/hibernate', 'off')
    return 'sleep and hibernation are off'
}

New-Item -Path $LogFolder -ItemType Directory -Force | Out-Null
Say 'libvf guest tools'
Step 'drivers' { InstallDrivers }
Step 'IVSHMEM driver' { InstallIvshmem }
Step 'QEMU guest agent' { InstallGuestAgent }
Step 'Looking Glass host' { InstallLookingGlass }
Step 'Scream' { InstallScream }
Step 'ssh' { InstallSsh }
Step 'power' { StayAwake }
if ($script:Restart) { Say 'restart Windows to finish' }
Say "done, $($script:Failed) failed"
exit $script:Failed
