@echo off
rem Installs the guest tools on Windows: right-click, "Run as administrator". Running it again changes nothing.
net session >nul 2>&1
if errorlevel 1 (
  echo Administrator rights are needed: right-click install.cmd and choose "Run as administrator".
  exit /b 5
)
powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -File "%~dp0install.ps1"
exit /b %errorlevel%
